"""Calls into modules: values, state, order, files."""

import asyncio
import math
from typing import Any, cast

import pytest

from servient.errors import Busy, InvalidInput, NotFound
from tests.wasm.conftest import KINDS, Kind, MakeInstance, call

COUNTER = """
(module (global $n (mut i32) (i32.const 0))
  (func (export "increment") (result i32)
    (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
  (func (export "trap") unreachable)
  (func (export "forever") (loop br 0)))
"""
IDENTITIES = """
(module
  (func (export "i32") (param i32) (result i32) local.get 0)
  (func (export "i64") (param i64) (result i64) local.get 0)
  (func (export "f32") (param f32) (result f32) local.get 0)
  (func (export "f64") (param f64) (result f64) local.get 0)
  (func (export "swap") (param i32 f64) (result f64 i32) local.get 1 local.get 0)
  (func (export "nothing")))
"""


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """All of this holds wherever the module runs."""
    return cast(Kind, request.param)


async def test_state_is_kept_between_calls(running: MakeInstance) -> None:
    async with running(COUNTER) as counter:
        assert [(await call(counter, "increment")).values for _ in range(3)] == [(1,), (2,), (3,)]
        assert counter.generation == 0


async def test_two_instances_of_a_module_share_nothing(running: MakeInstance) -> None:
    async with running(COUNTER) as one, running(COUNTER) as other:
        await call(one, "increment")
        assert (await call(other, "increment")).values == (1,)


@pytest.mark.parametrize(
    ("function", "given", "returned"),
    [
        ("i32", 2**31 - 1, 2**31 - 1),
        ("i32", -(2**31), -(2**31)),
        ("i32", 2**32 - 1, -1),
        ("i64", 2**63 - 1, 2**63 - 1),
        ("i64", -(2**63), -(2**63)),
        ("i64", 2**64 - 1, -1),
        ("f32", 0.5, 0.5),
        ("f32", 3, 3.0),
        ("f64", -1e308, -1e308),
        ("f64", 7, 7.0),
    ],
)
async def test_values_pass_as_they_are(
    running: MakeInstance, function: str, given: float, returned: float
) -> None:
    async with running(IDENTITIES) as identities:
        values = (await call(identities, function, given)).values
        assert values == (returned,)
        assert type(values[0]) is type(returned)


@pytest.mark.parametrize(
    ("function", "given"),
    [
        ("i32", 2**32),
        ("i32", -(2**31) - 1),
        ("i32", 1.0),
        ("i32", True),
        ("i32", None),
        ("i32", "1"),
        ("i64", 2**64),
        ("i64", 10**4000),
        ("f32", 1e39),
        ("f64", math.nan),
        ("f64", math.inf),
        ("f64", 10**400),
        ("f64", "1"),
    ],
)
async def test_values_that_do_not_fit_are_refused(
    running: MakeInstance, function: str, given: Any
) -> None:
    async with running(IDENTITIES) as identities:
        with pytest.raises(InvalidInput, match="argument 1"):
            await call(identities, function, given)
        assert identities.generation == 0


async def test_the_number_of_arguments_is_checked(running: MakeInstance) -> None:
    async with running(IDENTITIES) as identities:
        for arguments in [(), (1, 2)]:
            with pytest.raises(InvalidInput, match="takes 1 argument"):
                await call(identities, "i32", *arguments)
        with pytest.raises(NotFound, match="no function 'missing'"):
            await call(identities, "missing")


async def test_several_results_and_none(running: MakeInstance) -> None:
    async with running(IDENTITIES) as identities:
        assert (await call(identities, "swap", 1, 2.5)).values == (2.5, 1)
        assert (await call(identities, "nothing")).values == ()


async def test_calls_of_one_instance_run_in_order(running: MakeInstance) -> None:
    async with running(COUNTER) as counter:
        results = await asyncio.gather(*(call(counter, "increment") for _ in range(4)))
        assert [result.values for result in results] == [(1,), (2,), (3,), (4,)]


async def test_twenty_instances_run_side_by_side(running: MakeInstance) -> None:
    async def count(rounds: int) -> tuple[float, ...]:
        async with running(COUNTER) as counter:
            for _ in range(rounds):
                values = (await call(counter, "increment")).values
            return values

    assert await asyncio.gather(*map(count, range(1, 21))) == [(n,) for n in range(1, 21)]


async def test_a_full_queue_is_busy(running: MakeInstance) -> None:
    async with running(COUNTER) as counter:
        tasks = [
            asyncio.create_task(call(counter, "forever", deadline_seconds=0.3)) for _ in range(8)
        ]
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(result, Busy) for result in done) in (3, 4)  # 1 runs, 4 wait
        assert (await call(counter, "increment")).values == (1,)


async def test_a_cancelled_caller_does_not_free_the_instance(running: MakeInstance) -> None:
    async with running(COUNTER) as counter:
        first = asyncio.create_task(call(counter, "forever", deadline_seconds=0.3))
        second = asyncio.create_task(call(counter, "increment"))
        third = asyncio.create_task(call(counter, "increment"))
        await asyncio.sleep(0.05)
        first.cancel()
        second.cancel()
        # The endless call went on to its deadline, the second was never begun.
        assert (await third).values == (1,)
        assert counter.generation == 1


async def test_a_folder_is_private_and_starts_from_its_inputs(running: MakeInstance) -> None:
    async with running(COPY) as one, running(COPY) as other:
        result = await call(one, "copy", inputs={"in": b"hello"}, outputs=("out", "in"))
        assert result.files == {"out": b"hello", "in": b"hello"}
        # What an earlier call wrote is not a result of this one.
        result = await call(one, "nothing", outputs=("out",))
        assert result.files == {}
        result = await call(other, "copy", outputs=("out",))
        assert result.values == (44,)  # no such file
        for name in ("../x", "a/b", "", ".", "..", "a\0b", "x" * 256):
            with pytest.raises(InvalidInput):
                await call(one, "nothing", inputs={name: b""})
            with pytest.raises(InvalidInput):
                await call(one, "nothing", outputs=(name,))


# copy(): opens "in" (at 0) and "out" (at 8) below descriptor 3, and copies up to 64 bytes.
COPY = """
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "in") (data (i32.const 8) "out")
  (func (export "nothing"))
  (func (export "copy") (result i32) (local $error i32)
    (local.set $error (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 2)
      (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 100)))
    (if (local.get $error) (then (return (local.get $error))))
    (local.set $error (call $open (i32.const 3) (i32.const 0) (i32.const 8) (i32.const 3)
      (i32.const 9) (i64.const 66) (i64.const 0) (i32.const 0) (i32.const 104)))
    (if (local.get $error) (then (return (local.get $error))))
    (i32.store (i32.const 200) (i32.const 300))
    (i32.store (i32.const 204) (i32.const 64))
    (drop (call $read (i32.load (i32.const 100)) (i32.const 200) (i32.const 1) (i32.const 208)))
    (i32.store (i32.const 204) (i32.load (i32.const 208)))
    (call $write (i32.load (i32.const 104)) (i32.const 200) (i32.const 1) (i32.const 208))))
"""

"""Short calls run where they are made, and never hold up the loop when they turn out long."""

import asyncio

import pytest

from servient.errors import DeadlineExceeded, InvalidInput, ModuleTrapped
from servient.wasm.engine import Engine
from servient.wasm.instance import Instance
from servient.wasm.placement import QUICK_SECONDS, Placement
from tests.wasm.conftest import MakeInstance, call, resting

# spin(n): n rounds, then how often it was called; fail(n): traps after n rounds.
SPIN = """
(module (global $calls (mut i64) (i64.const 0))
  (func $loop (param $n i64)
    (block (loop (br_if 1 (i64.eqz (local.get $n)))
      (local.set $n (i64.sub (local.get $n) (i64.const 1))) (br 0))))
  (func (export "spin") (param $n i64) (result i64)
    (call $loop (local.get $n))
    (global.set $calls (i64.add (global.get $calls) (i64.const 1))) (global.get $calls))
  (func (export "fail") (param $n i64) (call $loop (local.get $n)) unreachable)
  (func (export "pair") (param f32 f64 i32) (result i32 f64 f32)
    (local.get 2) (local.get 1) (local.get 0)))
"""
TINY, HUGE, ENDLESS = 1, 300_000_000, 2**62


def make_quick(instance: Instance, function: str) -> None:
    """As after many short calls; a single one may be slow for reasons of the machine's."""
    for _ in range(300):
        instance._placement.record(function, QUICK_SECONDS / 100)
    assert instance._placement.is_quick(function)


async def probe(stop: asyncio.Event) -> int:
    """How often the loop came round."""
    rounds = 0
    while not stop.is_set():
        rounds += 1
        await asyncio.sleep(0.001)
    return rounds


async def test_a_call_that_turns_out_long_is_handed_over(running: MakeInstance) -> None:
    async with running(SPIN) as spinner:
        for count in range(1, 4):
            assert (await call(spinner, "spin", TINY)).values == (count,)
        make_quick(spinner, "spin")
        stop = asyncio.Event()
        probing = asyncio.create_task(probe(stop))
        assert (await call(spinner, "spin", HUGE)).values == (4,)  # its state went with it
        stop.set()
        assert await probing > 3
        assert (await call(spinner, "spin", HUGE)).values == (5,)
        assert not spinner._placement.is_quick("spin")
        assert (await call(spinner, "spin", TINY)).values == (6,)
        assert spinner.generation == 0


async def test_calls_behind_one_that_was_handed_over_keep_their_order(
    running: MakeInstance,
) -> None:
    async with running(SPIN) as spinner:
        await call(spinner, "spin", TINY)
        await call(spinner, "spin", TINY)
        make_quick(spinner, "spin")
        tasks = [asyncio.create_task(call(spinner, "spin", n)) for n in (HUGE, TINY, TINY)]
        assert [(await task).values for task in tasks] == [(3,), (4,), (5,)]


async def test_its_deadline_holds(running: MakeInstance) -> None:
    async with running(SPIN) as spinner:
        make_quick(spinner, "spin")
        with pytest.raises(DeadlineExceeded):
            await call(spinner, "spin", ENDLESS, deadline_seconds=0.2)
        assert spinner.generation == 1
        assert (await call(spinner, "spin", TINY)).values == (1,)


async def test_a_cancelled_caller_does_not_end_it(running: MakeInstance) -> None:
    async with running(SPIN) as spinner:
        make_quick(spinner, "spin")
        long = asyncio.create_task(call(spinner, "spin", HUGE))
        await asyncio.sleep(0.05)
        long.cancel()
        assert (await call(spinner, "spin", TINY)).values == (2,)


async def test_closing_ends_it(running: MakeInstance, engine: Engine) -> None:
    async with running(SPIN) as spinner:
        make_quick(spinner, "spin")
        endless = asyncio.create_task(call(spinner, "spin", ENDLESS, deadline_seconds=60.0))
        await asyncio.sleep(0.05)
    with pytest.raises(Exception, match="ended"):
        await endless
    await resting(engine.threads)


async def test_a_trap_on_the_spot_and_one_after_handing_over(running: MakeInstance) -> None:
    async with running(SPIN) as spinner:
        for generation, rounds in enumerate((TINY, TINY, TINY, HUGE), 1):
            with pytest.raises(ModuleTrapped, match="'fail' trapped"):
                await call(spinner, "fail", rounds)
            assert spinner.generation == generation
            make_quick(spinner, "fail")  # what never returned was never measured
            assert (await call(spinner, "spin", TINY)).values == (1,)


async def test_values_of_all_types_pass_on_the_spot(running: MakeInstance) -> None:
    async with running(SPIN) as spinner:
        for _ in range(3):
            make_quick(spinner, "pair")
            assert (await call(spinner, "pair", 0.5, -1e300, 2**32 - 1)).values == (-1, -1e300, 0.5)
        with pytest.raises(InvalidInput, match="argument 3"):
            await call(spinner, "pair", 0.5, 1.0, 2**32)
        assert spinner.generation == 0


def test_two_slow_calls_count_at_once_and_are_forgotten_slowly() -> None:
    placement = Placement()
    assert not placement.is_quick("f")
    placement.record("f", QUICK_SECONDS / 10)
    assert placement.is_quick("f")
    placement.record("f", QUICK_SECONDS * 10)
    assert placement.is_quick("f")
    placement.record("f", QUICK_SECONDS * 5)
    assert not placement.is_quick("f")
    for _ in range(100):
        placement.record("f", QUICK_SECONDS / 10)
    assert placement.is_quick("f")

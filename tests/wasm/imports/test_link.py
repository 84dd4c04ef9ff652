"""Host functions: what is offered, how their failures reach the right caller, hostile pointers."""

import asyncio
from collections.abc import Mapping

import pytest
import wasmtime

from servient.errors import (
    ActionFailed,
    DeadlineExceeded,
    InvalidInput,
    ModuleExited,
    ModuleRejected,
    ModuleTrapped,
    ServientError,
)
from servient.wasm.engine import Engine
from servient.wasm.imports.caller import Caller
from servient.wasm.imports.host_function import HostFunction
from servient.wasm.imports.standard import ImportSettings, build_namespaces
from servient.wasm.types import Signature, ValueType
from tests.wasm.conftest import call
from tests.wasm.imports.conftest import Run

I32, I64, F32, F64 = ValueType


class Trials:
    """A namespace of functions that do to the guest whatever a test wants."""

    name = "trials"

    def functions(self) -> Mapping[str, HostFunction]:
        return {
            "echo": HostFunction(Signature((I32, I64, F32, F64), (F64,)), self._echo),
            "fail": HostFunction(Signature((I32,), ()), self._fail),
            "read": HostFunction(Signature((I32, I32), (I32,)), self._read),
            "write": HostFunction(Signature((I32, I32), ()), self._write),
            "take": HostFunction(Signature((I32,), (I32,)), self._take),
            "wrong": HostFunction(Signature((), (I32,)), lambda _: 2**40),
        }

    def _echo(self, _: Caller, *values: float) -> float:
        return sum(values)

    def _fail(self, _: Caller, number: int) -> None:
        match number:
            case -1:
                raise KeyError("a mistake of the host")
            case -2:
                raise SystemExit(3)
            case -3:
                raise InvalidInput("not even an action's failure")
        raise ActionFailed(f"number {number}")

    def _read(self, caller: Caller, address: int, length: int) -> int:
        return len(caller.read(address, length))

    def _write(self, caller: Caller, address: int, length: int) -> None:
        caller.write(address, b"x" * length)

    def _take(self, caller: Caller, size: int) -> int:
        address = caller.allocate(size)
        caller.write(address, b"y" * size)
        return address


TRIALS = """
(module
  (import "trials" "echo" (func $echo (param i32 i64 f32 f64) (result f64)))
  (import "trials" "fail" (func $fail (param i32)))
  (import "trials" "read" (func $read (param i32 i32) (result i32)))
  (import "trials" "write" (func $write (param i32 i32)))
  (import "trials" "wrong" (func $wrong (result i32)))
  (memory (export "memory") 1)
  (global $n (mut i32) (i32.const 0))
  (func (export "count") (result i32)
    (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
  (func (export "echo") (result f64)
    (call $echo (i32.const -1) (i64.const -9007199254740992) (f32.const 0.5) (f64.const 2)))
  (func (export "fail") (param i32) (call $fail (local.get 0)))
  (func (export "read") (param i32 i32) (result i32) (call $read (local.get 0) (local.get 1)))
  (func (export "write") (param i32 i32) (call $write (local.get 0) (local.get 1)))
  (func (export "wrong") (result i32) (call $wrong)))
"""


async def refusal(text: str, *settings: ImportSettings) -> str:
    namespaces = build_namespaces(settings[0] if settings else ImportSettings())
    async with Engine(namespaces=namespaces) as engine:
        with pytest.raises(ModuleRejected) as refused:
            await engine.compile(bytes(wasmtime.wat2wasm(text)))
    return refused.value.detail


async def test_arguments_and_results_of_all_types(run: Run) -> None:
    async with run(TRIALS, Trials()) as instance:
        assert (await call(instance, "echo")).values == (-1 - 2.0**53 + 0.5 + 2,)


async def test_what_is_offered_is_told() -> None:
    async with Engine(namespaces=build_namespaces(ImportSettings())) as engine:
        offered = engine.offered_imports()
    assert list(offered) == sorted(set(offered))
    assert {
        "sys.millis",
        "sys.delay",
        "sys.print",
        "sys.println",
        "sys.printInt",
        "communication.rpcCall",
        "camera.takeImageDynamicSize",
        "camera.takeImageStaticSize",
        "camera.takeImage",
        "dht.getTemperature",
        "dht.getHumidity",
        "network.ping",
        "wasi_snapshot_preview1.clock_time_get",
        "wasi_snapshot_preview1.fd_fdstat_get",
        "wasi_snapshot_preview1.poll_oneoff",
    } <= set(offered)


@pytest.mark.parametrize(
    ("imported", "reason"),
    [
        (
            '"sys" "millis" (func (param i32))',
            "sys.millis is () → i32 here, the module wants (i32)",
        ),
        (
            '"network" "ping" (func (param i32 i32) (result f64))',
            "network.ping is (i32, i32, i32, i32) → f32 here, the module wants (i32, i32) → f64",
        ),
        (
            '"sys" "print" (func (param funcref i32))',
            "sys.print is (i32, i32) here, the module wants (funcref, i32)",
        ),
        (
            '"wasi_snapshot_preview1" "proc_exit" (func (param i64))',
            "wasi_snapshot_preview1.proc_exit is (i32) here, the module wants (i64)",
        ),
        ('"sys" "millis" (memory 1)', "sys.millis is a function here"),
        ('"sys" "seconds" (func)', "imports that are not offered here: sys.seconds"),
        ('"sys.millis" "" (func)', "imports that are not offered here: sys.millis."),
        ('"a\\nb" "c" (global i32)', "imports that are not offered here: a?b.c"),
    ],
)
async def test_imports_that_cannot_be_met_are_told_with_the_reason(
    imported: str, reason: str
) -> None:
    assert await refusal(f"(module (import {imported}))") == reason


async def test_all_reasons_are_told_at_once_and_in_short() -> None:
    imports = "".join(f'(import "a{number}" "{"b" * 400}" (func))' for number in range(20))
    detail = await refusal(f'(module {imports} (import "sys" "delay" (func)))')
    assert len(detail) <= 300
    detail = await refusal('(module (import "a" "b" (func)) (import "sys" "delay" (func)))')
    assert detail == (
        "imports that are not offered here: a.b; sys.delay is (i32) here, the module wants ()"
    )


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (7, "'fail' failed in trials.fail: number 7"),
        (-1, "'fail' failed in trials.fail: it failed for a reason that stands in the servient's"),
        (-2, "'fail' failed in trials.fail: it failed for a reason that stands in the servient's"),
        (-3, "'fail' failed in trials.fail: not even an action's failure"),
    ],
)
async def test_a_failure_ends_the_call_and_the_copy(run: Run, number: int, reason: str) -> None:
    async with run(TRIALS, Trials()) as instance:
        assert (await call(instance, "count")).values == (1,)
        with pytest.raises(ActionFailed) as failed:
            await call(instance, "fail", number)
        assert failed.value.detail.startswith(reason)
        assert instance.generation == 1
        assert (await call(instance, "count")).values == (1,)


async def test_a_result_that_does_not_fit_is_a_failure(run: Run) -> None:
    async with run(TRIALS, Trials()) as instance:
        with pytest.raises(ActionFailed, match=r"'wrong' failed in trials\.wrong"):
            await call(instance, "wrong")


async def test_failures_of_four_instances_at_once_reach_their_own_callers(run: Run) -> None:
    async def fail_often(number: int) -> None:
        async with run(TRIALS, Trials()) as instance:
            for attempt in range(40):
                wanted = number * 1000 + attempt
                with pytest.raises(ActionFailed, match=rf": number {wanted}$"):
                    await call(instance, "fail", wanted)
                assert (await call(instance, "count")).values == (1,)

    await asyncio.gather(*map(fail_often, range(1, 5)))


async def test_pointers_inside_the_memory_are_good_to_the_last_byte(run: Run) -> None:
    async with run(TRIALS, Trials()) as instance:
        for address, length in [(0, 65536), (65536, 0), (65535, 1), (0, 0), (100, 65436)]:
            assert (await call(instance, "read", address, length)).values == (length,)
            await call(instance, "write", address, length)


@pytest.mark.parametrize(
    ("address", "length"),
    [
        (65536, 1),
        (65535, 2),
        (0, 65537),
        (-1, 1),
        (-1, 0),
        (1, -1),
        (-1, -1),
        (2**31 - 1, 2**31 - 1),
        (-(2**31), -(2**31)),
    ],
)
async def test_hostile_pointers_end_the_guest(run: Run, address: int, length: int) -> None:
    async with run(TRIALS, Trials()) as instance:
        with pytest.raises(ModuleTrapped, match=r"'read' failed in trials\.read: .* outside its"):
            await call(instance, "read", address, length)
        if length >= 0:
            with pytest.raises(ModuleTrapped, match=r"failed in trials\.write: .* outside its"):
                await call(instance, "write", address, min(length, 2**20))


@pytest.mark.parametrize(
    "memory", ["", '(func (export "memory"))', '(memory (export "storage") 1)']
)
async def test_a_module_without_memory_is_told_so(run: Run, memory: str) -> None:
    text = f"""(module
      (import "trials" "read" (func $read (param i32 i32) (result i32))) {memory}
      (func (export "f") (result i32) (call $read (i32.const 0) (i32.const 0))))"""
    async with run(text, Trials()) as instance:
        with pytest.raises(ModuleTrapped, match="exports no memory"):
            await call(instance, "f")


async def test_an_empty_memory_has_no_byte(run: Run) -> None:
    text = """(module (import "trials" "read" (func $read (param i32 i32) (result i32)))
      (memory (export "memory") 0)
      (func (export "f") (param i32) (result i32) (call $read (i32.const 0) (local.get 0))))"""
    async with run(text, Trials()) as instance:
        assert (await call(instance, "f", 0)).values == (0,)
        with pytest.raises(ModuleTrapped, match="of 0 bytes"):
            await call(instance, "f", 1)


async def test_a_host_function_called_while_the_module_starts(run: Run) -> None:
    text = """(module (import "trials" "fail" (func $fail (param i32)))
      (func $start (call $fail (i32.const 4))) (start $start))"""
    with pytest.raises(ActionFailed, match=r"start of the module failed in trials\.fail: number 4"):
        async with run(text, Trials()):
            pass


def with_alloc(body: str, signature: str = "(param i32) (result i32)") -> str:
    return f"""(module
      (import "trials" "take" (func $take (param i32) (result i32)))
      (import "trials" "fail" (func $fail (param i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (func $alloc (export "alloc") {signature} {body})
      (func (export "take") (param i32) (result i32) (call $take (local.get 0))))"""


async def test_memory_comes_from_the_modules_own_alloc(run: Run) -> None:
    grow = "(drop (memory.grow (i32.const 3))) (i32.const 70000)"
    async with run(with_alloc(grow), Trials()) as instance:
        assert (await call(instance, "take", 100_000)).values == (70_000,)


@pytest.mark.parametrize(
    ("body", "error", "reason"),
    [
        ("(i32.const 0)", ActionFailed, "'take' failed in trials.take: .*alloc` gave no memory"),
        ("(i32.const -1)", ModuleTrapped, "64 bytes at 4294967295 are outside"),
        ("(i32.const 65500)", ModuleTrapped, "64 bytes at 65500 are outside"),
        (
            "unreachable",
            ModuleTrapped,
            "failed in trials.take: the module's `alloc` trapped: it re",
        ),
        ("(call $alloc (local.get 0))", ModuleTrapped, "`alloc` trapped: it called itself too"),
        ("(call $take (local.get 0))", ActionFailed, "`alloc` asks for memory from itself"),
        ("(call $fail (i32.const 5)) (i32.const 8)", ActionFailed, "in trials.fail: number 5"),
        ("(call $exit (i32.const 0)) (i32.const 8)", ModuleExited, "`alloc` ended the module"),
        ("(loop br 0) (i32.const 8)", DeadlineExceeded, "'take' did not end within 0.3 s"),
    ],
)
async def test_an_alloc_that_misbehaves(
    run: Run, body: str, error: type[ServientError], reason: str
) -> None:
    async with run(with_alloc(body), Trials()) as instance:
        with pytest.raises(error, match=reason):
            await call(instance, "take", 64, deadline_seconds=0.3)
        assert instance.generation == 1


async def test_a_module_without_a_fitting_alloc_is_told_so(run: Run) -> None:
    text = with_alloc("(i64.const 0)", "(param i32) (result i64)")
    for each in (text, text.replace('(export "alloc")', "")):
        async with run(each, Trials()) as instance:
            with pytest.raises(ActionFailed, match="exports no function `alloc"):
                await call(instance, "take", 1)

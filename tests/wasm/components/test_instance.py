"""Components that run: their state, their end, their limits, and what they ask of their host."""

import asyncio
import contextlib
import resource
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import wasmtime

from servient.errors import (
    ActionFailed,
    Busy,
    DeadlineExceeded,
    InvalidInput,
    ModuleRejected,
    ModuleTrapped,
    NotFound,
    TooLarge,
)
from servient.wasm.components.call import ComponentCall, ComponentResult
from servient.wasm.components.instance import LEFT_LIMIT, ComponentInstance
from servient.wasm.engine import Engine
from tests.wasm.components.texts import MISCHIEF, SLEEPER, WRITER
from tests.wasm.conftest import LIMITS, MIB

Run = Callable[[str], contextlib.AbstractAsyncContextManager[ComponentInstance]]
SECOND = 10**9


def binary_of(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(text))


@pytest.fixture
def run(engine: Engine, tmp_path: Path) -> Run:
    @contextlib.asynccontextmanager
    async def started(text: str) -> AsyncIterator[ComponentInstance]:
        component = await engine.compile_component(binary_of(text))
        async with ComponentInstance(engine, component, tmp_path, LIMITS) as instance:
            yield instance

    return started


async def call(
    instance: ComponentInstance, function: str, seconds: float = 5.0, **arguments: Any
) -> ComponentResult:
    return await instance.call(ComponentCall(function, arguments, deadline_seconds=seconds))


async def test_state_stays_between_calls(run: Run) -> None:
    async with run(MISCHIEF) as instance:
        values = [(await call(instance, "calls-count")).value for _ in range(3)]
        with pytest.raises(NotFound):
            await call(instance, "count")
    assert values == [1, 2, 3]


@pytest.mark.parametrize(
    ("function", "error", "words"),
    [
        ("trap", ModuleTrapped, "code that must not be reached"),
        ("deep", ModuleTrapped, "too deeply"),
        ("wild", ModuleTrapped, "wild"),
        ("garbled", ModuleTrapped, "garbled"),
        ("forever", DeadlineExceeded, "did not end within 0.2 s"),
    ],
)
async def test_a_copy_that_fails_is_replaced(
    run: Run, function: str, error: type[Exception], words: str
) -> None:
    async with run(MISCHIEF) as instance:
        await call(instance, "calls-count")
        with pytest.raises(error, match=words):
            await call(instance, function, seconds=0.2 if function == "forever" else 5.0)
        assert instance.generation == 1
        assert (await call(instance, "calls-count")).value == 1


async def test_an_error_of_the_function_itself_is_no_end(run: Run) -> None:
    async with run(MISCHIEF) as instance:
        await call(instance, "calls-count")
        assert (await call(instance, "decide", why=0)).value is None
        with pytest.raises(ActionFailed, match=r"'decide' failed: tired"):
            await call(instance, "decide", why=1)
        with pytest.raises(InvalidInput):
            await call(instance, "decide", why=256)
        assert instance.generation == 0
        assert (await call(instance, "calls-count")).value == 2


async def test_memory_is_bounded_on_both_sides(run: Run) -> None:
    async with run(MISCHIEF) as instance:
        assert (await call(instance, "grow", pages=LIMITS.memory_bytes // 65536 + 1)).value == -1
        assert len((await call(instance, "fill", bytes=1 * MIB)).value) == MIB
        with pytest.raises(TooLarge):
            await call(instance, "fill", bytes=50 * MIB)
        assert (await call(instance, "calls-count")).value == 1


async def test_many_calls_leave_nothing_behind(run: Run) -> None:
    async with run(MISCHIEF) as instance:
        for rounds in (1, 10):
            for _ in range(rounds * 20):
                await call(instance, "fill", bytes=50_000)
                with contextlib.suppress(ActionFailed):
                    await call(instance, "decide", why=2)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            if rounds == 1:
                before = peak
    assert peak - before < 20_000  # kB; each call takes 1.6 MB for as long as it lasts


async def test_output_is_captured_by_call(run: Run) -> None:
    async with run(WRITER) as instance:
        assert (await call(instance, "write", bytes=5)).stdout == b"hello"
        assert (await call(instance, "write", bytes=4)).stdout == b"hell"


async def test_a_sleeping_guest_holds_nobody_up(run: Run) -> None:
    async with run(SLEEPER) as instance:
        await call(instance, "sleep", nanoseconds=1000)
        sleeping = asyncio.create_task(
            call(instance, "sleep", seconds=0.1, nanoseconds=3600 * SECOND)
        )
        await asyncio.sleep(0)
        await call(instance, "sleep", nanoseconds=1000)
        assert instance.generation == 1
        with pytest.raises(DeadlineExceeded):
            await sleeping


async def test_so_many_may_sleep(run: Run) -> None:
    async with run(SLEEPER) as instance:
        for _ in range(LEFT_LIMIT):
            with pytest.raises(DeadlineExceeded):
                await call(instance, "sleep", seconds=0.05, nanoseconds=3600 * SECOND)
        with pytest.raises(Busy):
            await call(instance, "sleep", nanoseconds=1000)


async def test_closing_ends_what_runs(run: Run) -> None:
    async with run(MISCHIEF) as instance:
        running = asyncio.create_task(call(instance, "forever", seconds=600))
        await asyncio.sleep(0.05)
        await instance.close()
        with pytest.raises(ActionFailed, match="removed"):
            await running
        with pytest.raises(NotFound):
            await call(instance, "calls-count")


async def test_unknown_imports_are_named(engine: Engine) -> None:
    for name in ("acme:door/lock@1.0.0", "wasi:http/types@0.2.0"):
        text = f'(component (import "{name}" (instance (export "open" (func)))))'
        with pytest.raises(ModuleRejected, match=name):
            await engine.compile_component(binary_of(text))


async def test_an_interface_of_types_alone_is_no_request(engine: Engine, run: Run) -> None:
    text = '(component (import "acme:types/all" (instance (type $t u8) (export "age" (type (eq $t))))))'
    async with run(text) as instance:
        assert instance.generation == 0


async def test_types_that_explode_are_refused(engine: Engine) -> None:
    pairs = "\n".join(
        f"(type $t{n + 1} (tuple $t{n} $t{n}))" if n else "(type $t1 (tuple u8 u8))"
        for n in range(15)
    )
    text = f"""(component {pairs}
      (core module $m (func (export "f") (param i32)) (memory (export "m") 1)
        (func (export "r") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
      (core instance $i (instantiate $m))
      (func (export "f") (param "x" $t15) (canon lift (core func $i "f")
        (memory (core memory $i "m")) (realloc (core func $i "r")))))"""
    with pytest.raises(ModuleRejected, match="too large"):
        await engine.compile_component(binary_of(text))


async def test_functions_on_resources_are_left_out(engine: Engine) -> None:
    text = """(component
      (type $door (resource (rep i32))) (export $d "door" (type $door))
      (core module $m (func (export "f") (param i32)) (func (export "g")))
      (core instance $i (instantiate $m))
      (func (export "open") (param "which" (own $d)) (canon lift (core func $i "f")))
      (func (export "knock") (canon lift (core func $i "g"))))"""
    component = await engine.compile_component(binary_of(text))
    assert list(component.signatures) == ["knock"]


async def test_functions_of_two_interfaces_of_one_name_are_told_apart(engine: Engine) -> None:
    text = """(component
      (core module $m (func (export "f"))) (core instance $i (instantiate $m))
      (func $f (canon lift (core func $i "f")))
      (instance $x (export "open" (func $f)))
      (export "acme:front/door@1.0.0" (instance $x)) (export "acme:back/door@1.0.0" (instance $x))
      (export "acme:side/gate@1.0.0" (instance $x)))"""
    component = await engine.compile_component(binary_of(text))
    assert set(component.signatures) == {
        "acme:front/door@1.0.0#open",
        "acme:back/door@1.0.0#open",
        "gate-open",
    }


async def test_a_compiled_component_is_kept(tmp_path: Path) -> None:
    for _ in range(2):
        async with Engine(LIMITS, tmp_path / "cache") as engine:
            await engine.compile_component(binary_of(MISCHIEF))
            assert len(list((tmp_path / "cache").iterdir())) == 1


async def test_each_kind_is_compiled_as_what_it_is(engine: Engine) -> None:
    with pytest.raises(ModuleRejected, match="component"):
        await engine.compile(binary_of(MISCHIEF))
    with pytest.raises(ModuleRejected, match="not a component"):
        await engine.compile_component(binary_of("(module)"))
    with pytest.raises(ModuleRejected):
        await engine.compile_component(binary_of(MISCHIEF)[:-20])

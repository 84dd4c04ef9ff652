"""A module that is declared stateless: nothing passes from one call to another."""

import asyncio
from pathlib import Path

import pytest
import wasmtime

from servient.errors import DeadlineExceeded, InvalidInput, ModuleTrapped, NotFound, ServientError
from servient.wasm.deployed_files import deployed_path
from servient.wasm.engine import Engine
from servient.wasm.stateless import StatelessInstances
from servient.wasm.types import Call
from tests.wasm.conftest import LIMITS, resting
from tests.wasm.test_hazards import HOSTILE
from tests.wasm.test_instance import COPY, COUNTER


async def instances(engine: Engine, text: str, folder: Path) -> StatelessInstances:
    folder.mkdir(exist_ok=True)
    module = await engine.compile(bytes(wasmtime.wat2wasm(text)))
    return StatelessInstances(engine, module, folder, LIMITS, lanes=2)


async def test_each_call_starts_from_nothing(engine: Engine, tmp_path: Path) -> None:
    async with await instances(engine, COUNTER, tmp_path) as counters:
        results = await asyncio.gather(*(counters.call(Call("increment")) for _ in range(8)))
        assert [result.values for result in results] == [(1,)] * 8
        with pytest.raises(ModuleTrapped, match="must not be reached"):
            await counters.call(Call("trap"))
        with pytest.raises(DeadlineExceeded, match=r"'forever' did not end within 0\.2 s"):
            await counters.call(Call("forever", deadline_seconds=0.2))
        with pytest.raises(NotFound):
            await counters.call(Call("missing"))
        with pytest.raises(InvalidInput):
            await counters.call(Call("increment", (1,)))
        assert (await counters.call(Call("increment"))).values == (1,)
        assert counters.generation == 0


async def test_calls_run_side_by_side(engine: Engine, tmp_path: Path) -> None:
    async with await instances(engine, COUNTER, tmp_path) as counters:
        endless = asyncio.create_task(counters.call(Call("forever", deadline_seconds=1.0)))
        await asyncio.sleep(0.05)
        for _ in range(5):
            assert (await counters.call(Call("increment"))).values == (1,)
        assert not endless.done()
        with pytest.raises(DeadlineExceeded):
            await endless


async def test_files_of_one_call_are_not_seen_by_another(engine: Engine, tmp_path: Path) -> None:
    async with await instances(engine, COPY, tmp_path) as copies:

        async def copy(number: int) -> bytes:
            body = b"file %d" % number
            result = await copies.call(Call("copy", inputs={"in": body}, outputs=("out",)))
            assert result.files == {"out": body}
            return body

        assert len(set(await asyncio.gather(*map(copy, range(6))))) == 6
        # Neither the input nor the output of earlier calls is there.
        assert (await copies.call(Call("copy", outputs=("out",)))).values == (44,)


async def test_files_of_the_deployment_are_there_for_every_call(
    engine: Engine, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    deployed_path(folder).mkdir()
    (deployed_path(folder) / "in").write_bytes(b"deployed")
    async with await instances(engine, COPY, folder) as copies:
        for _ in range(3):
            result = await copies.call(Call("copy", outputs=("out",)))
            assert result.files == {"out": b"deployed"}
        # An input of the same name takes its place for one call.
        result = await copies.call(Call("copy", inputs={"in": b"given"}, outputs=("out",)))
        assert result.files == {"out": b"given"}
        for _ in range(3):
            result = await copies.call(Call("copy", outputs=("out",)))
            assert result.files == {"out": b"deployed"}
    assert (deployed_path(folder) / "in").read_bytes() == b"deployed"
    assert not list(folder.iterdir())


async def test_memory_ends_at_its_limit(engine: Engine, tmp_path: Path) -> None:
    text = """(module (memory 1) (func (export "bomb") (result i32)
      (loop (br_if 0 (i32.ne (memory.grow (i32.const 64)) (i32.const -1)))) (memory.size)))"""
    async with await instances(engine, text, tmp_path) as bombs:
        for _ in range(5):
            (pages,) = (await bombs.call(Call("bomb"))).values
            assert pages * 65536 <= LIMITS.memory_bytes


async def test_closing_ends_endless_calls(engine: Engine, tmp_path: Path) -> None:
    async with await instances(engine, HOSTILE, tmp_path) as hostile:
        calls = [
            asyncio.create_task(hostile.call(Call("forever", deadline_seconds=60)))
            for _ in range(3)
        ]
        await asyncio.sleep(0.1)
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(each, ServientError) for each in done), done
    await resting(engine.threads)
    assert list(tmp_path.iterdir()) == []


async def test_a_module_that_does_not_start_is_refused(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(ModuleTrapped):
        async with await instances(engine, "(module (func $f unreachable) (start $f))", tmp_path):
            pass

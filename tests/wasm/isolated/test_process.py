"""Processes of modules: how they end, what becomes of the calls, what they find and what is left."""

import asyncio
import contextlib
import itertools
import os
import random
import signal
import sys
import textwrap
from pathlib import Path

import pytest
import wasmtime

from servient.errors import DeadlineExceeded, ModuleTrapped, NotFound, ServientError
from servient.wasm.engine import Engine
from servient.wasm.imports.standard import ImportSettings
from servient.wasm.isolated.calls import SentBuffers, call_to_parts
from servient.wasm.isolated.instance import IsolatedInstance
from servient.wasm.placement import QUICK_SECONDS
from servient.wasm.types import Buffer, Call
from tests.wasm.conftest import LIMITS
from tests.wasm.isolated.conftest import COUNTER, Isolate, call
from tests.wasm.test_instance import COPY


def is_there(pid: int) -> bool:
    """Whether such a process runs; one that nobody has fetched yet does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - Path has no cheaper way


async def until_gone(pid: int) -> None:
    async with asyncio.timeout(20):
        while is_there(pid):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV])
async def test_a_crash_costs_the_call_that_ran_and_the_state(
    isolate: Isolate, number: signal.Signals
) -> None:
    async with isolate() as instance, isolate() as other:
        for count in (1, 2):
            assert (await call(instance, "increment")).values == (count,)
            assert (await call(other, "increment")).values == (count,)
        running = asyncio.create_task(call(instance, "forever", deadline_seconds=60))
        waiting = [asyncio.create_task(call(instance, "increment")) for _ in range(3)]
        await asyncio.sleep(0.1)
        assert instance.pid
        crashed = instance.pid
        while not running.done():  # the engine takes the first SIGSEGV for a guest's
            with contextlib.suppress(ProcessLookupError):
                os.kill(crashed, number)
            await asyncio.sleep(0.05)
        with pytest.raises(ModuleTrapped, match=f"'forever' .* was ended by {number.name}"):
            await running
        assert instance.generation == 1
        # Those that waited had not begun.
        assert [each.values for each in await asyncio.gather(*waiting)] == [(1,), (2,), (3,)]
        assert instance.pid != crashed
        assert ((await call(other, "increment")).values, other.generation) == ((3,), 0)
        assert not is_there(crashed)


async def test_a_process_that_ends_between_calls_is_replaced(isolate: Isolate) -> None:
    async with isolate() as instance:
        await call(instance, "increment")
        assert instance.pid
        os.kill(instance.pid, signal.SIGKILL)
        await until_gone(instance.pid)
        with contextlib.suppress(ModuleTrapped):  # where the call came before the news
            await call(instance, "increment")
        assert instance.generation == 1


async def test_a_process_that_hangs_is_killed_soon_after_the_deadline(isolate: Isolate) -> None:
    async with isolate() as instance:
        await call(instance, "increment")
        assert instance.pid
        stopped = instance.pid
        os.kill(stopped, signal.SIGSTOP)  # no epoch reaches it
        with pytest.raises(DeadlineExceeded, match=r"'increment' did not end within 0\.1 s"):
            await call(instance, "increment", deadline_seconds=0.1)
        assert instance.generation == 1
        assert (await call(instance, "increment")).values == (1,)
        assert not is_there(stopped)


async def test_short_calls_that_were_sent_ahead_are_not_lost(isolate: Isolate) -> None:
    async with isolate() as instance:
        for _ in range(300):
            instance._placement.record("increment", QUICK_SECONDS / 100)
        assert instance.pid
        os.kill(instance.pid, signal.SIGSTOP)
        # One runs and the others are sent too: none may wait for longer than the queue is.
        tasks = [asyncio.create_task(call(instance, "increment")) for _ in range(5)]
        await asyncio.sleep(0.05)
        tasks[2].cancel()
        os.kill(instance.pid, signal.SIGKILL)
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(done[0], ModuleTrapped)
        assert isinstance(done[2], asyncio.CancelledError)
        rest = [each.values for each in done if not isinstance(each, BaseException)]
        assert rest == [(1,), (2,), (3,)]


async def test_callers_that_come_and_go_keep_the_order(isolate: Isolate) -> None:
    dice = random.Random(7)
    counted: list[float] = []

    async def count(instance: IsolatedInstance) -> None:
        with contextlib.suppress(ServientError):
            counted.append((await call(instance, "increment")).values[0])

    async with isolate() as instance:
        for _ in range(60):
            tasks = [asyncio.create_task(count(instance)) for _ in range(5)]
            for task in dice.sample(tasks, 2):
                await asyncio.sleep(dice.choice((0, 0.001)))
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        last = (await call(instance, "increment")).values[0]
        assert instance.generation == 0
    assert counted == sorted(set(counted))
    assert len(counted) < last <= 301


async def test_many_ends_leave_nothing(isolate: Isolate) -> None:
    async with isolate() as instance:
        await call(instance, "increment")
        before = descriptors()
        pids = set()
        for generation in range(1, 9):
            assert instance.pid
            pids.add(instance.pid)
            os.kill(instance.pid, signal.SIGKILL)
            with pytest.raises(ModuleTrapped):
                await call(instance, "increment")
            assert (await call(instance, "increment")).values == (1,)
            assert instance.generation == generation
        assert descriptors() <= before + 1
    assert len(pids) == 8
    assert not any(map(is_there, pids))
    assert len(asyncio.all_tasks()) == 1


async def test_closing_kills_at_once_and_also_while_it_starts_anew(isolate: Isolate) -> None:
    async with isolate() as instance:
        assert instance.pid
        pid = instance.pid
        running = asyncio.create_task(call(instance, "forever", deadline_seconds=600))
        await asyncio.sleep(0.05)
    with pytest.raises(ServientError, match="its deployment was removed"):
        await running
    assert not is_there(pid)
    assert instance.generation == 0 or instance.pid is None
    with pytest.raises(NotFound):
        await call(instance, "increment")
    async with isolate() as instance:
        assert instance.pid
        os.kill(instance.pid, signal.SIGKILL)
        await until_gone(instance.pid)
        waiting = asyncio.create_task(call(instance, "increment"))
        await asyncio.sleep(0.03)
    with pytest.raises(ServientError):
        await waiting
    assert len(asyncio.all_tasks()) == 1


async def test_a_start_that_is_given_up_leaves_no_process(engine: Engine, tmp_path: Path) -> None:
    module = await engine.compile(bytes(wasmtime.wat2wasm(COUNTER)))
    for delay in (0.0, 0.01, 0.05):
        instance = IsolatedInstance(module, tmp_path, LIMITS)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(delay):
                await instance.start()
    children = [
        path.parent.name
        for path in Path("/proc").glob("[0-9]*/stat")
        if path.read_text().rpartition(")")[2].split()[1] == str(os.getpid())
    ]
    assert not [pid for pid in children if b"isolated" in Path(f"/proc/{pid}/cmdline").read_bytes()]


PARENT = """
    import asyncio, sys
    from pathlib import Path
    import uvloop, wasmtime
    from servient.wasm.engine import Engine
    from servient.wasm.isolated.instance import IsolatedInstance
    from servient.wasm.types import Call, Limits

    async def main():
        limits = Limits()
        async with Engine(limits) as engine:
            module = await engine.compile(bytes(wasmtime.wat2wasm(sys.argv[1])))
            async with IsolatedInstance(module, Path(sys.argv[2]), limits) as instance:
                await instance.call(Call("increment"))
                print(instance.pid, flush=True)
                await instance.call(Call("forever", deadline_seconds=600))

    uvloop.run(main())
"""


async def test_no_process_outlives_the_servient(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", textwrap.dedent(PARENT), COUNTER, str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert parent.stdout
    pid = int(await asyncio.wait_for(parent.stdout.readline(), 30))
    assert is_there(pid)
    await asyncio.sleep(0.05)
    parent.kill()
    await parent.wait()
    await until_gone(pid)


async def test_what_a_process_finds(isolate: Isolate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "secret")
    async with isolate() as instance:
        process = Path(f"/proc/{instance.pid}")
        environment = (process / "environ").read_bytes().split(b"\0")
        assert {each.partition(b"=")[0] for each in environment if each} == {b"PYTHONPATH"}
        assert (process / "cwd").readlink() == Path("/")
        limits = {
            line[:25].strip(): line[25:].split()[0]
            for line in (process / "limits").read_text().splitlines()
        }
        assert limits["Max core file size"] == "0"
        assert int(limits["Max open files"]) <= 256
        assert int(limits["Max data size"]) < 2**30
        assert int(limits["Max cpu time"]) < 60
        assert "NoNewPrivs:\t1" in (process / "status").read_text()
        links = _links(process)
        assert len([link for link in links if link.startswith("socket:")]) == 1
        # It imports nothing, and so finds no files.
        assert _named(links) == {os.devnull}


async def test_what_imports_wasi_finds_its_folder_besides(isolate: Isolate) -> None:
    text = """(module
      (import "wasi_snapshot_preview1" "sched_yield" (func (result i32))) (memory (export "memory") 1))
    """
    async with isolate(text) as instance:
        found = _named(_links(Path(f"/proc/{instance.pid}")))
        assert found == {os.devnull, str(instance._folder)}


def _links(process: Path) -> list[str]:
    return [str(each.readlink()) for each in (process / "fd").iterdir()]


def _named(links: list[str]) -> set[str]:
    """Without such as have no place."""
    return {link for link in links if link.startswith("/") and not link.startswith("/memfd:")}


SENSES = """
(module
  (import "camera" "takeImageDynamicSize" (func $picture (param i32 i32)))
  (import "dht" "getTemperature" (func $temperature (result f32)))
  (import "sys" "println" (func $print (param i32)))
  (import "sys" "print" (func $text (param i32 i32)))
  (import "sys" "delay" (func $delay (param i32)))
  (memory (export "memory") 2)
  (func (export "alloc") (param i32) (result i32) (i32.const 4096))
  (func (export "picture") (result i32)
    (call $picture (i32.const 0) (i32.const 4))
    (call $text (i32.load (i32.const 0)) (i32.const 3)) (i32.load (i32.const 4)))
  (func (export "temperature") (result f32)
    (call $print (i32.const 42)) (call $temperature))
  (func (export "delay") (param i32) (call $delay (local.get 0))))
"""


async def test_host_imports_work_there_too(
    isolate: Isolate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sensor").write_text("21.5 40")
    monkeypatch.chdir(tmp_path)  # where a relative path begins
    settings = ImportSettings(camera_source="test-picture", sensor_source="sensor")
    async with isolate(SENSES, settings=settings) as senses:
        done = await call(senses, "temperature")
        assert (done.values, done.stdout) == ((21.5,), b"42\n")
        taken = await call(senses, "picture")
        assert taken.values[0] > 1000
        assert taken.stdout == b"\xff\xd8\xff"
        with pytest.raises(DeadlineExceeded):
            await call(senses, "delay", 60_000, deadline_seconds=0.2)
    async with isolate(SENSES) as nothing:
        with pytest.raises(ServientError, match="no camera is configured"):
            await call(nothing, "picture")


async def test_files_of_a_call_that_was_killed_are_no_others_business(isolate: Isolate) -> None:
    async with isolate(COPY) as instance:
        assert instance.pid
        os.kill(instance.pid, signal.SIGSTOP)
        running = asyncio.create_task(call(instance, "copy", inputs={"in": b"x"}))
        await asyncio.sleep(0.05)
        (instance._folder / "in").write_bytes(b"as if it had begun")
        os.kill(instance.pid, signal.SIGKILL)
        with pytest.raises(ModuleTrapped):
            await running
        assert (await call(instance, "copy", outputs=("out",))).values == (44,)  # no such file


async def test_a_stateless_module_forgets_there_too(isolate: Isolate) -> None:
    async with isolate(is_stateless=True) as instance:
        assert [(await call(instance, "increment")).values for _ in range(3)] == [(1,)] * 3
        assert instance.pid
        os.kill(instance.pid, signal.SIGKILL)
        with pytest.raises(ModuleTrapped):
            await call(instance, "increment")
        assert ((await call(instance, "increment")).values, instance.generation) == ((1,), 0)
    async with isolate(COPY, is_stateless=True) as instance:
        copied = await call(instance, "copy", inputs={"in": b"x"}, outputs=("out",))
        assert copied.files == {"out": b"x"}
        assert (await call(instance, "copy", outputs=("out",))).values == (44,)


def test_a_model_is_sent_once() -> None:
    sent = SentBuffers()
    model, data = Buffer(bytes(10_000), is_kept=True), Buffer(b"data")
    sizes = [sum(map(len, call_to_parts(Call("f", buffers=(model, data)), sent))) for _ in range(3)]
    assert sizes[0] > 10_000 > 1000 > sizes[1] == sizes[2]
    many = [Buffer(bytes([number]) * 1000, is_kept=True) for number in range(20)]
    for _, buffer in itertools.product(range(2), many):
        call_to_parts(Call("f", buffers=(buffer,)), sent)
    assert len(sent._numbers) == 8

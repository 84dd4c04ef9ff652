"""What a hostile module may try, and what becomes of it: an error, and the next call works."""

import asyncio
import gc
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import cast

import pytest
import wasmtime

from servient.errors import (
    ActionFailed,
    DeadlineExceeded,
    ModuleExited,
    ModuleRejected,
    ModuleTrapped,
    ServientError,
    TooLarge,
)
from servient.wasm.engine import Engine
from servient.wasm.instance import Instance
from servient.wasm.types import Call
from tests.wasm.conftest import KINDS, LIMITS, Kind, MakeInstance, call, resting

HOSTILE = """
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_symlink"
    (func $symlink (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (table 1 funcref)
  (data (i32.const 0) "/etc/passwd") (data (i32.const 16) "out") (data (i32.const 24) "..")
  (global $n (mut i32) (i32.const 0))
  (func (export "count") (result i32)
    (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
  (func (export "unreachable") unreachable)
  (func (export "divide") (param i32) (result i32) (i32.div_s (i32.const 1) (local.get 0)))
  (func (export "outside") (drop (i32.load (i32.const -4))))
  (func $deep (export "deep") (call $deep))
  (func (export "forever") (loop br 0))
  (func (export "exit") (param i32) (call $exit (local.get 0)))
  (func (export "memory_bomb") (result i32)
    (loop (br_if 0 (i32.ne (memory.grow (i32.const 64)) (i32.const -1)))) (memory.size))
  (func (export "table_bomb") (result i32)
    (loop (br_if 0 (i32.ne (table.grow (ref.null func) (i32.const 9999)) (i32.const -1))))
    (table.size))
  (func (export "shout") (param $times i32) (result i32)
    (i32.store (i32.const 200) (i32.const 0)) (i32.store (i32.const 204) (i32.const 11))
    (loop
      (drop (call $write (i32.const 1) (i32.const 200) (i32.const 1) (i32.const 208)))
      (local.set $times (i32.sub (local.get $times) (i32.const 1)))
      (br_if 0 (local.get $times)))
    (i32.const 0))
  (func (export "sleep") (param $seconds i64) (result i32)
    (memory.fill (i32.const 300) (i32.const 0) (i32.const 48))
    (i32.store (i32.const 316) (i32.const 1))
    (i64.store (i32.const 324) (i64.mul (local.get $seconds) (i64.const 1000000000)))
    (call $poll (i32.const 300) (i32.const 400) (i32.const 1) (i32.const 500)))
  (func (export "poll") (param i32 i32 i32 i32) (result i32)
    (call $poll (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
  (func (export "plant") (result i32)
    (call $symlink (i32.const 0) (i32.const 11) (i32.const 3) (i32.const 16) (i32.const 3)))
  (func (export "climb") (result i32)
    (call $open (i32.const 3) (i32.const 1) (i32.const 24) (i32.const 2)
      (i32.const 2) (i64.const 66) (i64.const 66) (i32.const 0) (i32.const 100)))
  (func (export "enter") (result i32)
    (call $open (i32.const 3) (i32.const 1) (i32.const 16) (i32.const 3)
      (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 100))))
"""


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """All of this holds wherever the module runs."""
    return cast(Kind, request.param)


@pytest.mark.parametrize(
    ("function", "arguments", "error", "reason"),
    [
        ("unreachable", (), ModuleTrapped, "must not be reached"),
        ("divide", (0,), ModuleTrapped, "divided by zero"),
        ("outside", (), ModuleTrapped, "outside its memory"),
        ("deep", (), ModuleTrapped, "too deeply"),
        ("forever", (), DeadlineExceeded, "did not end within 0.3 s"),
        ("sleep", (60,), DeadlineExceeded, "did not end within 0.3 s"),
        ("sleep", (2**33,), DeadlineExceeded, "did not end within 0.3 s"),
        ("exit", (0,), ModuleExited, "exit code 0"),
        ("exit", (3,), ModuleExited, "exit code 3"),
    ],
)
async def test_a_failed_call_is_an_error_and_the_next_finds_a_fresh_copy(
    running: MakeInstance,
    function: str,
    arguments: tuple[int, ...],
    error: type[ServientError],
    reason: str,
) -> None:
    async with running(HOSTILE) as instance:
        assert (await call(instance, "count")).values == (1,)
        with pytest.raises(error, match=reason):
            await call(instance, function, *arguments, deadline_seconds=0.3)
        assert instance.generation == 1
        assert (await call(instance, "count")).values == (1,)


async def test_memory_and_tables_end_at_their_limits(running: MakeInstance) -> None:
    async with running(HOSTILE) as instance:
        pages = (await call(instance, "memory_bomb")).values[0]
        assert 0 < pages * 65536 <= LIMITS.memory_bytes
        elements = (await call(instance, "table_bomb")).values[0]
        assert 0 < elements <= LIMITS.table_elements


async def test_a_sleep_that_ends_in_time_returns(running: MakeInstance) -> None:
    async with running(HOSTILE) as instance:
        assert (await call(instance, "sleep", 0)).values == (0,)
        # Pointers that lead nowhere, and numbers that mean nothing, are the guest's own error.
        for arguments in [(-1, -1, 1, -1), (0, 0, 0, 0), (0, 0, -1, 0), (65530, 0, 2, 0)]:
            assert (await call(instance, "poll", *arguments)).values[0] in (21, 28)
        assert instance.generation == 0


async def test_output_is_kept_up_to_its_limit(running: MakeInstance) -> None:
    async with running(HOSTILE) as instance:
        assert (await call(instance, "shout", 2)).stdout == b"/etc/passwd" * 2
        assert (await call(instance, "count")).stdout == b""
        flood = await call(instance, "shout", 1_000_000)
        assert flood.stdout == (b"/etc/passwd" * 1000)[: LIMITS.stdout_bytes]
        assert (await call(instance, "shout", 1)).stdout == b"/etc/passwd"


async def test_links_lead_nowhere_for_guest_and_host(running: MakeInstance) -> None:
    async with running(HOSTILE) as instance:
        planted = await call(instance, "plant", outputs=("out",))
        assert planted.files == {}
        assert (await call(instance, "enter")).values[0] != 0
        assert (await call(instance, "climb")).values[0] != 0
        # The host, too, writes to the name and not to where the link leads.
        await call(instance, "plant")
        assert (await call(instance, "count", inputs={"out": b"mine"})).values
        assert b"mine" not in Path("/etc/passwd").read_bytes()


async def test_a_link_of_the_hosts_own_is_not_followed_either(
    engine: Engine, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "out").symlink_to(secret)
    module = await engine.compile(bytes(wasmtime.wat2wasm(HOSTILE)))
    async with Instance(engine, module, folder, LIMITS) as instance:
        assert (await call(instance, "enter")).values[0] != 0


async def test_a_huge_output_file_is_refused(engine: Engine, tmp_path: Path) -> None:
    module = await engine.compile(bytes(wasmtime.wat2wasm('(module (func (export "f")))')))
    async with Instance(engine, module, tmp_path, LIMITS) as instance:
        await call(instance, "f")
        started = asyncio.create_task(instance.call(Call("f", outputs=("big",))))
        await started
        with (tmp_path / "big").open("wb") as file:
            file.truncate(LIMITS.output_bytes + 1)
        with pytest.raises(TooLarge, match="'big'"):
            instance._folder.collect(("big",))


# flood(): writes 32 KiB to the file "out", for ever; hidden(): the same when it is removed.
FLOOD = """
(module
  (import "wasi_snapshot_preview1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1) (data (i32.const 0) "out")
  (func (export "count") (result i32) (i32.const 1))
  (func (export "hidden")
    (call $create)
    (if (call $unlink (i32.const 3) (i32.const 0) (i32.const 3)) (then (unreachable)))
    (call $fill))
  (func (export "flood") (call $create) (call $fill))
  (func $create
    (drop (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 3)
      (i32.const 9) (i64.const 66) (i64.const 0) (i32.const 0) (i32.const 8))))
  (func $fill
    (i32.store (i32.const 16) (i32.const 1024)) (i32.store (i32.const 20) (i32.const 32768))
    (loop
      (drop (call $write (i32.load (i32.const 8)) (i32.const 16) (i32.const 1) (i32.const 24)))
      (br 0))))
"""


@pytest.mark.parametrize("function", ["flood", "hidden"])
async def test_a_flood_of_files_is_ended_before_its_deadline(
    running: MakeInstance, function: str
) -> None:
    async with running(FLOOD) as instance:
        with pytest.raises(ActionFailed, match=f"'{function}' was ended: it filled its folder"):
            await call(instance, function, deadline_seconds=60.0)
        assert instance.generation == 1
        assert (await call(instance, "count")).values == (1,)


async def test_an_endless_start_function_is_ended(running: MakeInstance) -> None:
    with pytest.raises(DeadlineExceeded, match="start"):
        async with running("(module (func $f (loop br 0)) (start $f))"):
            pass
    with pytest.raises(DeadlineExceeded, match="_initialize"):
        async with running('(module (func (export "_initialize") (loop br 0)))'):
            pass
    with pytest.raises(ModuleTrapped):
        async with running("(module (memory 1) (func $f unreachable) (start $f))"):
            pass


async def test_closing_ends_an_endless_call_and_leaves_no_thread_at_work(
    running: MakeInstance, engine: Engine
) -> None:
    async with running(HOSTILE) as instance:
        tasks = [
            asyncio.create_task(call(instance, name, *arguments, deadline_seconds=60))
            for name, arguments in (("forever", ()), ("sleep", (60,)), ("count", ()))
        ]
        await asyncio.sleep(0.1)
        started = time.monotonic()
    assert time.monotonic() - started < 10
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(each, ServientError) for each in done), done
    await resting(engine.threads)
    with pytest.raises(ServientError):
        await call(instance, "count")


async def test_many_failures_leave_no_memory(running: MakeInstance) -> None:
    async with running(HOSTILE) as instance:
        for _ in range(50):
            with pytest.raises(ModuleTrapped):
                await call(instance, "unreachable")
        gc.collect()
        assert instance.generation == 50


async def test_other_instances_answer_while_one_computes(running: MakeInstance) -> None:
    async with running(HOSTILE) as endless, running(HOSTILE) as other:
        busy = asyncio.create_task(call(endless, "forever", deadline_seconds=0.5))
        counts = 0
        while not busy.done():
            counts += 1
            assert (await call(other, "count")).values == (counts,)
        assert counts > 10
        with pytest.raises(DeadlineExceeded):
            await busy


@pytest.mark.parametrize(
    "binary",
    [
        b"",
        b"\0asm",
        b"\0asm\1\0\0\0garbage",
        b"<!doctype html>",
        b"\0asm\x0d\0\1\0",
        bytes(1000),
        wasmtime.wat2wasm(HOSTILE)[:-30],
        b"\0" * (LIMITS.module_bytes + 1),
    ],
    ids=["empty", "preamble", "garbage", "html", "component", "zeros", "truncated", "huge"],
)
async def test_what_is_no_module_is_refused(engine: Engine, binary: bytes) -> None:
    with pytest.raises(ModuleRejected) as refused:
        await engine.compile(binary)
    assert "\n" not in refused.value.detail
    assert len(refused.value.detail) < 400


async def test_imports_that_are_not_offered_are_named(engine: Engine) -> None:
    text = (
        '(module (import "camera" "takeImage" (func (param i32 i32))) (import "a" "b" (memory 1)))'
    )
    with pytest.raises(ModuleRejected, match=r"camera\.takeImage, a\.b"):
        await engine.compile(bytes(wasmtime.wat2wasm(text)))


async def test_mutated_modules_are_refused_or_run(engine: Engine, tmp_path: Path) -> None:
    dice = random.Random(20)
    whole = wasmtime.wat2wasm(HOSTILE)
    for number in range(60):
        binary = bytearray(whole)
        for _ in range(dice.randint(1, 4)):
            binary[dice.randrange(8, len(binary))] = dice.randrange(256)
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            module = await engine.compile(bytes(binary))
            async with Instance(engine, module, folder, LIMITS) as instance:
                if "count" in module.signatures:
                    await instance.call(Call("count", deadline_seconds=0.2))
        except ServientError as error:
            assert error.detail


async def test_shared_memory_is_refused_when_it_is_compiled(engine: Engine) -> None:
    with pytest.raises(ModuleRejected, match="threads must be enabled for shared memories"):
        await engine.compile(bytes(wasmtime.wat2wasm("(module (memory 1 2 shared))")))


# Where threads have little room unless they ask for more, as with some systems' C libraries.
DEEP_PROGRAM = """
import asyncio, sys, threading
from pathlib import Path
import wasmtime
from servient.errors import ModuleTrapped
from servient.wasm.engine import Engine
from servient.wasm.instance import Instance
from servient.wasm.types import Call, Limits

async def main(folder):
    async with Engine(Limits()) as engine:
        text = '(module (func $deep (export "deep") (call $deep)))'
        module = await engine.compile(bytes(wasmtime.wat2wasm(text)))
        async with Instance(engine, module, folder, Limits()) as instance:
            try:
                await instance.call(Call("deep"))
            except ModuleTrapped as error:
                print(error.detail)

threading.stack_size(256 * 1024)
asyncio.run(main(Path(sys.argv[1])))
"""


def test_deep_recursion_has_a_stack_of_its_own_size(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DEEP_PROGRAM, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "called itself too deeply" in done.stdout

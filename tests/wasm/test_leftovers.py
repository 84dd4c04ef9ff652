"""What a guest leaves in its folder, and what callers and failed starts leave behind."""

import asyncio
import contextlib
import os
from pathlib import Path

import pytest
import wasmtime

from servient.errors import Busy, InvalidInput, ModuleTrapped
from servient.wasm.engine import Engine
from servient.wasm.folder import DEPTH_LIMIT, Folder, check_name
from servient.wasm.instance import Instance
from servient.wasm.removal import remove_tree
from servient.wasm.stateless import StatelessInstances
from servient.wasm.types import Call
from tests.wasm.conftest import LIMITS, MakeInstance, call, resting

WASI = "wasi_snapshot_preview1"
# `nest` makes that many folders, all named d, one in the other; a negative result is a failure.
NESTING = f"""(module
  (import "{WASI}" "path_create_directory" (func $make (param i32 i32 i32) (result i32)))
  (import "{WASI}" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "{WASI}" "fd_close" (func $close (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "d")
  (func (export "nest") (param $count i32) (result i32)
    (local $folder i32) (local $outer i32) (local $made i32)
    (local.set $folder (i32.const 3))
    (loop $next
      (if (call $make (local.get $folder) (i32.const 0) (i32.const 1))
        (then (return (i32.const -1))))
      (if (call $open (local.get $folder) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 2)
            (i64.const 16384) (i64.const 16384) (i32.const 0) (i32.const 100))
        (then (return (i32.const -2))))
      (local.set $outer (local.get $folder))
      (local.set $folder (i32.load (i32.const 100)))
      (if (i32.ne (local.get $outer) (i32.const 3))
        (then (drop (call $close (local.get $outer)))))
      (local.set $made (i32.add (local.get $made) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $made) (local.get $count))))
    (drop (call $close (local.get $folder)))
    (local.get $made)))"""
FAILS_TO_START = "(module (func $fail unreachable) (start $fail))"
LOOPS = '(module (func (export "loop") (loop (br 0))) (func (export "nothing")))'
THROWS = '(module (tag $t) (func (export "throw") (throw $t)))'


def open_in(folder: Path) -> list[str]:
    """What this process holds open in a folder, and not what other tests leave to the system."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the one that lists the others
            found.append(str(descriptor.readlink()))
    return [path for path in found if path.startswith(f"{folder}/")]


def nest(folder: Path, depth: int) -> None:
    """Folders deeper than their path could name."""
    at = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=at)
        inner = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=at))
    os.close(at)


async def test_a_folder_in_place_of_an_output_leaves_no_descriptor(
    engine: Engine, tmp_path: Path
) -> None:
    module = await engine.compile(bytes(wasmtime.wat2wasm(NESTING)))
    async with Instance(engine, module, tmp_path, LIMITS) as instance:
        for _ in range(5):
            assert (await call(instance, "nest", 1, outputs=("d",))).files == {}
        assert not open_in(tmp_path)


async def test_a_nest_in_place_of_an_output_is_removed(running: MakeInstance) -> None:
    async with running(NESTING) as instance:
        assert (await call(instance, "nest", 1500, outputs=("d",))).values == (1500,)
        assert (await call(instance, "nest", 1, inputs={"d": b""}, outputs=())).values == (-1,)
        assert (await call(instance, "nest", 1, outputs=("d",))).values == (1,)


async def test_a_nest_does_not_stop_stateless_calls(engine: Engine, tmp_path: Path) -> None:
    module = await engine.compile(bytes(wasmtime.wat2wasm(NESTING)))
    async with StatelessInstances(engine, module, tmp_path, LIMITS, lanes=1) as instances:
        for _ in range(2):
            result = await instances.call(Call("nest", (1500,), deadline_seconds=5.0))
            assert result.values == (1500,)
    assert not list(tmp_path.iterdir())


def test_a_tree_of_any_depth_is_removed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "a" / "link").symlink_to(kept)
    (tree / "file").touch()
    nest(tree, 3000)
    remove_tree(tree)
    assert not open_in(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (kept / "file").exists()


def test_a_link_is_no_tree(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    with pytest.raises(OSError, match="link"):
        remove_tree(tmp_path / "link")
    assert (tmp_path / "kept").exists()


def test_a_deep_folder_counts_as_full(tmp_path: Path) -> None:
    folder = Folder(tmp_path, LIMITS)
    nest(tmp_path, DEPTH_LIMIT)
    assert not folder.is_full()
    folder.prepare({}, ("d",))
    nest(tmp_path, 2000)
    assert folder.is_full()
    folder.prepare({}, ("d",))


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0", "ü" * 128, "\ud800", "a\udc80"])
def test_what_cannot_be_a_file_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        check_name(name)


@pytest.mark.parametrize("kind", [Instance, StatelessInstances])
async def test_a_failed_start_leaves_no_thread(
    kind: type[Instance | StatelessInstances], engine: Engine, tmp_path: Path
) -> None:
    module = await engine.compile(bytes(wasmtime.wat2wasm(FAILS_TO_START)))
    with pytest.raises(ModuleTrapped):
        await kind(engine, module, tmp_path, LIMITS).start()
    await resting(engine.threads)


async def test_callers_that_are_gone_take_no_place_in_the_queue(running: MakeInstance) -> None:
    async with running(LOOPS) as instance:
        running_call = asyncio.create_task(call(instance, "loop", deadline_seconds=60.0))
        await asyncio.sleep(0)
        for _ in range(3):
            tasks = [
                asyncio.create_task(call(instance, "nothing")) for _ in range(LIMITS.queue_length)
            ]
            await asyncio.sleep(0)
            for task in tasks:
                assert not task.done()
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        waiting = [
            asyncio.create_task(call(instance, "nothing")) for _ in range(LIMITS.queue_length)
        ]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await call(instance, "nothing")
        running_call.cancel()
    await asyncio.gather(running_call, *waiting, return_exceptions=True)


async def test_a_trap_is_told_without_its_backtrace(running: MakeInstance) -> None:
    async with running(THROWS) as instance:
        with pytest.raises(ModuleTrapped, match=r"trapped: thrown Wasm exception$"):
            await call(instance, "throw")

"""The files of a call are there for that call alone; those of the deployment are read-only."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import wasmtime

from servient.errors import ModuleTrapped, TooLarge
from servient.wasm.deployed_files import DeployedFiles, deployed_path
from servient.wasm.engine import Engine
from servient.wasm.instance import Instance
from servient.wasm.stateless import StatelessInstances
from servient.wasm.types import Call
from tests.wasm.conftest import LIMITS, call

WASI = "wasi_snapshot_preview1"
# Files are named by single letters; each function returns an errno, `size` the size or -errno.
FILES = f"""(module
  (import "{WASI}" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "{WASI}" "path_filestat_get" (func $stat (param i32 i32 i32 i32 i32) (result i32)))
  (import "{WASI}" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
  (import "{WASI}" "path_rename" (func $rename (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "{WASI}" "path_link" (func $link (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "{WASI}" "path_symlink" (func $symlink (param i32 i32 i32 i32 i32) (result i32)))
  (import "{WASI}" "path_create_directory" (func $make (param i32 i32 i32) (result i32)))
  (import "{WASI}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "{WASI}" "fd_close" (func $close (param i32) (result i32)))
  (memory (export "memory") 1) (data (i32.const 97) "abcdefghijklmnopqrstuvwxyz")
  (func (export "size") (param $name i32) (result i32) (local $error i32)
    (local.set $error (call $stat (i32.const 3) (i32.const 1) (local.get $name) (i32.const 1)
      (i32.const 200)))
    (if (result i32) (local.get $error) (then (i32.sub (i32.const 0) (local.get $error)))
      (else (i32.load (i32.const 232)))))
  (func $put (export "write") (param $name i32) (result i32) (local $error i32)
    (local.set $error (call $open (i32.const 3) (i32.const 0) (local.get $name) (i32.const 1)
      (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 300)))
    (if (local.get $error) (then (return (local.get $error))))
    (i32.store (i32.const 304) (local.get $name)) (i32.store (i32.const 308) (i32.const 1))
    (local.set $error (call $write (i32.load (i32.const 300)) (i32.const 304) (i32.const 1)
      (i32.const 312)))
    (drop (call $close (i32.load (i32.const 300))))
    (local.get $error))
  (func (export "write_and_trap") (param $name i32) (drop (call $put (local.get $name))) unreachable)
  (func $remove (export "unlink") (param $name i32) (result i32)
    (call $unlink (i32.const 3) (local.get $name) (i32.const 1)))
  (func $move (export "rename") (param $old i32) (param $new i32) (result i32)
    (call $rename (i32.const 3) (local.get $old) (i32.const 1)
      (i32.const 3) (local.get $new) (i32.const 1)))
  (func (export "rename_and_back") (param $old i32) (param $new i32) (result i32)
    (drop (call $move (local.get $old) (local.get $new)))
    (call $move (local.get $new) (local.get $old)))
  (func (export "replace") (param $name i32) (result i32)
    (drop (call $remove (local.get $name))) (call $put (local.get $name)))
  (func (export "replace_with_folder") (param $name i32) (result i32)
    (drop (call $remove (local.get $name))) (call $folder (local.get $name)))
  (func (export "replace_with_link") (param $old i32) (param $new i32) (result i32)
    (drop (call $put (local.get $old))) (drop (call $remove (local.get $new)))
    (call $symlink (local.get $old) (i32.const 1) (i32.const 3) (local.get $new) (i32.const 1)))
  (func (export "link") (param $old i32) (param $new i32) (result i32)
    (call $link (i32.const 3) (i32.const 0) (local.get $old) (i32.const 1)
      (i32.const 3) (local.get $new) (i32.const 1)))
  (func $folder (export "make") (param $name i32) (result i32)
    (call $make (i32.const 3) (local.get $name) (i32.const 1))))"""

NO_ENTRY = 44
DEPLOYED = b"as it was deployed"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A guest's folder, with a file `d` of the deployment."""
    folder = tmp_path / "guest"
    folder.mkdir()
    deployed_path(folder).mkdir()
    (deployed_path(folder) / "d").write_bytes(DEPLOYED)
    return folder


@pytest.fixture
async def instance(engine: Engine, folder: Path) -> AsyncIterator[Instance]:
    module = await engine.compile(bytes(wasmtime.wat2wasm(FILES)))
    async with Instance(engine, module, folder, LIMITS) as running:
        yield running


async def do(instance: Instance, function: str, *names: str, **more: Any) -> int:
    result = await call(instance, function, *map(ord, names), **more)
    assert isinstance(result.values[0], int)
    return result.values[0]


async def test_the_input_of_a_call_is_gone_after_it(instance: Instance, folder: Path) -> None:
    assert await do(instance, "size", "i", inputs={"i": b"12345"}) == 5
    assert await do(instance, "size", "i") == -NO_ENTRY
    # A guest may give it another name, and then it is the guest's own.
    assert await do(instance, "rename", "i", "k", inputs={"i": b"123"}) == 0
    assert await do(instance, "size", "k") == 3
    assert sorted(path.name for path in folder.iterdir()) == ["d", "k"]


async def test_the_output_of_a_call_is_taken_out(instance: Instance, folder: Path) -> None:
    result = await call(instance, "write", ord("o"), outputs=("o",))
    assert result.files == {"o": b"o"}
    assert await do(instance, "size", "o") == -NO_ENTRY
    result = await call(instance, "write", ord("p"), any_output=True)
    assert result.files == {"p": b"p"}
    assert await do(instance, "size", "p") == -NO_ENTRY
    assert await do(instance, "write", "s") == 0
    assert await do(instance, "size", "s") == 1  # its state
    assert (await call(instance, "write", ord("o"), any_output=True)).files == {"o": b"o"}
    assert await do(instance, "size", "s") == 1


async def test_a_call_that_fails_leaves_no_mount_behind(instance: Instance, folder: Path) -> None:
    mounts = {"inputs": {"i": b"1"}, "outputs": ("o",)}
    with pytest.raises(ModuleTrapped):
        await call(instance, "write_and_trap", ord("o"), **mounts)
    with pytest.raises(ModuleTrapped):
        await call(instance, "write_and_trap", ord("p"), any_output=True)
    large = {"i": bytes(LIMITS.output_bytes + 1)}
    with pytest.raises(TooLarge):
        await call(instance, "size", ord("i"), inputs=large, outputs=("i",))
    assert [path.name for path in folder.iterdir()] == ["d"]


async def test_inputs_and_files_of_the_deployment_may_only_be_read(
    instance: Instance, folder: Path
) -> None:
    assert (folder / "d").stat().st_mode & 0o777 == 0o400
    if not os.access(folder / "d", os.W_OK):  # root may
        assert await do(instance, "write", "d") != 0
        assert await do(instance, "write", "i", inputs={"i": b"1"}) != 0


@pytest.mark.parametrize(
    "steps",
    [
        [("write", "d")],
        [("unlink", "d")],
        [("rename", "d", "e")],
        [("rename_and_back", "d", "e")],
        [("link", "d", "e")],
        [("replace", "d")],
        [("replace_with_folder", "d")],
        [("replace_with_link", "e", "d")],
        [("write", "e"), ("rename", "e", "d")],
    ],
    ids=lambda steps: "-".join(step[0] for step in steps),
)
async def test_a_changed_file_of_the_deployment_is_put_back(
    instance: Instance, folder: Path, steps: list[tuple[str, ...]]
) -> None:
    for function, *names in steps:
        await do(instance, function, *names)
        assert await do(instance, "size", "d") == len(DEPLOYED)
        assert (folder / "d").read_bytes() == DEPLOYED
        assert not (folder / "d").is_symlink()
    if (folder / "e").exists():
        (folder / "e").chmod(0o600)
        (folder / "e").write_bytes(b"through a name of its own")
        assert await do(instance, "size", "d") == len(DEPLOYED)
    assert (folder / "d").read_bytes() == DEPLOYED
    assert (deployed_path(folder) / "d").read_bytes() == DEPLOYED


async def test_a_file_that_nobody_touched_is_not_copied_again(
    instance: Instance, folder: Path
) -> None:
    before = (folder / "d").stat()
    for _ in range(3):
        assert await do(instance, "size", "d", inputs={"i": b""}) == len(DEPLOYED)
    assert (folder / "d").stat() == before


async def test_stateless_calls_share_no_change(engine: Engine, folder: Path) -> None:
    module = await engine.compile(bytes(wasmtime.wat2wasm(FILES)))
    async with StatelessInstances(engine, module, folder, LIMITS, lanes=1) as instances:

        async def size(name: str) -> int | float:
            return (await instances.call(Call("size", (ord(name),)))).values[0]

        for change in [("write", "d"), ("unlink", "d"), ("rename", "d", "e"), ("make", "f")]:
            function, *names = change
            done = await instances.call(Call(function, tuple(map(ord, names))))
            assert done.values == (0,) or function == "write"  # which only root may
            assert [await size(name) for name in "def"] == [len(DEPLOYED), -NO_ENTRY, -NO_ENTRY]


def test_a_change_right_after_the_copy_is_seen(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    (source / "a").write_bytes(b"12345")
    files = DeployedFiles(source, target)
    files.restore()
    for _ in range(100):
        (target / "a").chmod(0o600)
        (target / "a").write_bytes(b"54321")  # of the same size, in the same node
        (target / "a").chmod(0o400)
        files.restore()
        assert (target / "a").read_bytes() == b"12345"

"""Compiled code is kept, found again, and never trusted when something is off."""

import os
from pathlib import Path

import pytest
import wasmtime

from servient.errors import ModuleRejected
from servient.wasm.cache import CompileCache
from servient.wasm.engine import Engine
from servient.wasm.instance import Instance
from servient.wasm.types import Call, Limits

BINARY = bytes(wasmtime.wat2wasm('(module (func (export "f") (result i32) (i32.const 42)))'))


async def answer(cache: Path, folder: Path) -> float:
    async with Engine(Limits(), cache) as engine:
        module = await engine.compile(BINARY)
        async with Instance(engine, module, folder, Limits()) as instance:
            return (await instance.call(Call("f"))).values[0]


def entry(cache: Path) -> Path:
    (path,) = cache.iterdir()
    return path


async def test_a_module_is_compiled_once(tmp_path: Path) -> None:
    cache = tmp_path / "compiled"
    assert await answer(cache, tmp_path) == 42
    first = entry(cache).stat()
    assert await answer(cache, tmp_path) == 42
    again = entry(cache).stat()
    assert (first.st_ino, first.st_ctime_ns != 0) == (again.st_ino, True)
    assert cache.stat().st_mode & 0o777 == 0o700
    assert again.st_mode & 0o777 == 0o600


@pytest.mark.parametrize("fault", ["damaged", "truncated", "empty", "foreign", "writable", "link"])
async def test_an_entry_that_is_not_right_is_made_anew(tmp_path: Path, fault: str) -> None:
    cache = tmp_path / "compiled"
    await answer(cache, tmp_path)
    path = entry(cache)
    whole = path.read_bytes()
    match fault:
        case "damaged":
            path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        case "truncated":
            path.write_bytes(whole[: len(whole) // 2])
        case "empty":
            path.write_bytes(b"")
        case "foreign":  # well kept, but not what an engine of ours made
            path.unlink()
            CompileCache(cache, path.name.partition("-")[2]).put(
                path.name.partition("-")[0], b"code"
            )
        case "writable":
            path.write_bytes(b"whatever")
            path.chmod(0o666)
        case "link":
            path.unlink()
            path.symlink_to("/etc/passwd")
    assert await answer(cache, tmp_path) == 42
    assert entry(cache).read_bytes() == whole
    assert not entry(cache).is_symlink()


async def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert await answer(blocked / "compiled", tmp_path) == 42


def test_the_oldest_entries_go_first(tmp_path: Path) -> None:
    cache = CompileCache(tmp_path, "x", limit_bytes=3 * 132)
    for number, name in enumerate("abc"):
        cache.put(name, bytes(100))
        os.utime(tmp_path / f"{name}-x", (number, number))
    assert cache.get("a") == bytes(100)  # which makes it the newest
    cache.put("d", bytes(100))
    assert [cache.get(name) is not None for name in "abcd"] == [True, False, True, True]


async def test_compiling_may_take_only_so_much(tmp_path: Path) -> None:
    body = "(local i64)" + "(local.set 0 (i64.add (local.get 0) (i64.const 7)))" * 100_000
    bomb = bytes(wasmtime.wat2wasm(f'(module (func (export "f") {body}))'))
    async with Engine(Limits(compile_seconds=0.1)) as engine:
        with pytest.raises(ModuleRejected, match=r"longer than 0\.1 s"):
            await engine.compile(bomb)
    async with Engine(Limits(compile_memory_bytes=100 * 2**20)) as engine:
        with pytest.raises(ModuleRejected, match="more memory"):
            await engine.compile(bomb)
        with pytest.raises(ModuleRejected):
            await engine.compile(b"garbage")

"""The file that a call writes, where nobody said what its name is."""

from pathlib import Path

import wasmtime

from servient.wasm.engine import Engine
from servient.wasm.instance import Instance
from tests.wasm.conftest import LIMITS, call


async def test_whichever_file_a_call_writes(engine: Engine, tmp_path: Path) -> None:
    text = """(module
      (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1) (data (i32.const 0) "abc")
      (func (export "write") (param $name i32)
        (i32.store (i32.const 16) (local.get $name)) (i32.store (i32.const 20) (i32.const 1))
        (drop (call $open (i32.const 3) (i32.const 0) (local.get $name) (i32.const 1)
          (i32.const 9) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 32)))
        (drop (call $write (i32.load (i32.const 32)) (i32.const 16) (i32.const 1) (i32.const 40))))
      (func (export "nothing")))"""
    module = await engine.compile(bytes(wasmtime.wat2wasm(text)))
    (tmp_path / "a").write_text("brought along")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("a")
    async with Instance(engine, module, tmp_path, LIMITS) as instance:
        for name in "cbbac":
            position = "abc".index(name)
            done = await call(instance, "write", position, any_output=True, inputs={"i": b"input"})
            assert done.files == {name: name.encode()}
        assert (await call(instance, "nothing", any_output=True, inputs={"c": b""})).files == {}

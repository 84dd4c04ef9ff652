"""A module that reads and writes files, and what a manifest says of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import wasmtime

from tests.files import FileServer

# Names of files and what is written to them stand in memory; a function that fails traps.
WRITER = """
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (memory (export "memory") 64)
  (data (i32.const 32) "a.jpeg") (data (i32.const 48) "b.txt") (data (i32.const 64) "identity")
  (data (i32.const 80) "input") (data (i32.const 96) "other") (data (i32.const 112) "made")
  (global $calls (mut i32) (i32.const 0))
  (func $open (param $name i32) (param $length i32) (param $flags i32) (param $rights i64)
    (result i32)
    (if (call $path_open (i32.const 3) (i32.const 0) (local.get $name) (local.get $length)
        (local.get $flags) (local.get $rights) (i64.const 0) (i32.const 0) (i32.const 0))
      (then unreachable))
    (i32.load (i32.const 0)))
  (func $read (param $name i32) (param $length i32) (result i32)
    (local $file i32)
    (local.set $file
      (call $open (local.get $name) (local.get $length) (i32.const 0) (i64.const 2)))
    (i32.store (i32.const 4) (i32.const 65536))
    (i32.store (i32.const 8) (i32.const 1048576))
    (if (call $fd_read (local.get $file) (i32.const 4) (i32.const 1) (i32.const 12))
      (then unreachable))
    (drop (call $fd_close (local.get $file)))
    (i32.load (i32.const 12)))
  (func $write (param $name i32) (param $length i32) (param $at i32) (param $size i32)
    (local $file i32)
    (local.set $file
      (call $open (local.get $name) (local.get $length) (i32.const 9) (i64.const 64)))
    (i32.store (i32.const 4) (local.get $at))
    (i32.store (i32.const 8) (local.get $size))
    (if (call $fd_write (local.get $file) (i32.const 4) (i32.const 1) (i32.const 12))
      (then unreachable))
    (drop (call $fd_close (local.get $file))))
  ;; Writes what it reads from `input` to `a.jpeg`, and the first half of it to `b.txt`.
  (func (export "split") (result i32)
    (local $size i32)
    (local.set $size (call $read (i32.const 80) (i32.const 5)))
    (call $write (i32.const 32) (i32.const 6) (i32.const 65536) (local.get $size))
    (call $write (i32.const 48) (i32.const 5) (i32.const 65536)
      (i32.shr_u (local.get $size) (i32.const 1)))
    (local.get $size))
  ;; Writes `b.txt` alone.
  (func (export "half") (result i32)
    (call $write (i32.const 48) (i32.const 5) (i32.const 112) (i32.const 4))
    (i32.const 7))
  (func (export "sizes") (param $factor i32) (result i32)
    (i32.add (i32.mul (local.get $factor) (call $read (i32.const 80) (i32.const 5)))
      (call $read (i32.const 96) (i32.const 5))))
  ;; How often it was initialized, and what it then wrote.
  (func (export "initialized") (result i32) (global.get $calls))
  (func (export "identity_size") (result i32) (call $read (i32.const 64) (i32.const 8)))
  (func (export "add") (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
  (func (export "flip") (param i32) (result i32) (i32.eqz (local.get 0)))
  (func (export "nothing"))
  (func (export "dotted.name") (result i32) (i32.const 5))
  (func (export "trap") unreachable)
  {initializer})
"""
INITIALIZER = """
  (func (export "_wasmiot_init")
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (call $write (i32.const 64) (i32.const 8) (i32.const 112) (i32.const 4)))
"""
TRAPPING_INITIALIZER = '(func (export "_wasmiot_init") unreachable)'
IDLE_INITIALIZER = '(func (export "_wasmiot_init"))'

URL = "/writer.wasm"


def serve_writer(files: FileServer, initializer: str = "") -> None:
    text = WRITER.replace("{initializer}", initializer)
    files.files[URL] = bytes(wasmtime.wat2wasm(text))


def mount(path: str, stage: str, media_type: str = "application/octet-stream") -> dict[str, str]:
    return {"path": path, "media_type": media_type, "stage": stage}


def endpoint(
    *parameters: tuple[str, str], media_type: str = "application/json", kind: str = "integer"
) -> dict[str, Any]:
    """How a function is called, with parameters as (name, type), and what answers."""
    declared = [
        {"name": name, "in": "query", "required": True, "schema": {"type": type_}}
        for name, type_ in parameters
    ]
    schema = {"type": kind} if media_type == "application/json" else {}
    response = {"media_type": media_type, "schema": schema}
    return {"method": "post", "request": {"parameters": declared}, "response": response}


def manifest(
    files: FileServer,
    endpoints: Mapping[str, Any],
    mounts: Mapping[str, Sequence[Mapping[str, str]]] | None = None,
    deployment: str = "d",
    **module: Any,
) -> dict[str, Any]:
    """Of the module `writer`, whose id is `w1`; mounts by function, each with its stage."""
    stages = ("execution", "deployment", "output")
    return {
        "deploymentId": deployment,
        "modules": [
            {"id": "w1", "name": "writer", "urls": {"binary": files.origin + URL}, **module}
        ],
        "endpoints": {"writer": dict(endpoints)},
        "mounts": {
            "writer": {
                function: {
                    stage: [each for each in found if each["stage"] == stage] for stage in stages
                }
                for function, found in (mounts or {}).items()
            }
        },
    }

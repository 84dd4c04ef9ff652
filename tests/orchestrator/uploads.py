"""The modules that the stories are told with: those of the manifests, and of the examples."""

import wasmtime

from tests.files import EXAMPLES
from tests.orchestrator.modules import Function, Module, Mount

FIBO = """
(module
  (func $fibo (export "fibo") (param $n i64) (result i64)
    (local $a i64) (local $b i64)
    (local.set $a (i64.const 1)) (local.set $b (i64.const 1))
    (loop $next
      (if (i64.gt_s (local.get $n) (i64.const 1)) (then
        (i64.add (local.get $a) (local.get $b))
        (local.set $a (local.get $b))
        (local.set $b)
        (local.set $n (i64.sub (local.get $n) (i64.const 1)))
        (br $next))))
    (local.get $b))
  (func (export "subtract") (param i32 i32) (result i32)
    (i32.sub (local.get 0) (local.get 1))))
"""

STATEFUL_FIBO = """
(module
  (global $a (mut i32) (i32.const 0)) (global $b (mut i32) (i32.const 1))
  (func (export "fibo") (param i32) (result i32)
    (i32.add (global.get $a) (global.get $b))
    (global.set $a (global.get $b))
    (global.set $b)
    (global.get $b)))
"""

# Files are read whole and written whole; what does not work ends in a trap.
BYTES = """
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (memory (export "memory") 128)
  (data (i32.const 32) "image.jpeg") (data (i32.const 48) "result.jpeg")
  (data (i32.const 64) "table.bin")
  (func $open (param $name i32) (param $length i32) (param $flags i32) (param $rights i64)
    (result i32)
    (if (call $path_open (i32.const 3) (i32.const 0) (local.get $name) (local.get $length)
        (local.get $flags) (local.get $rights) (i64.const 0) (i32.const 0) (i32.const 0))
      (then unreachable))
    (i32.load (i32.const 0)))
  (func $read (param $name i32) (param $length i32) (result i32)
    (local $file i32) (local $size i32)
    (local.set $file
      (call $open (local.get $name) (local.get $length) (i32.const 0) (i64.const 2)))
    (loop $more
      (i32.store (i32.const 4) (i32.add (i32.const 65536) (local.get $size)))
      (i32.store (i32.const 8) (i32.const 65536))
      (if (call $fd_read (local.get $file) (i32.const 4) (i32.const 1) (i32.const 12))
        (then unreachable))
      (local.set $size (i32.add (local.get $size) (i32.load (i32.const 12))))
      (br_if $more (i32.load (i32.const 12))))
    (drop (call $fd_close (local.get $file)))
    (local.get $size))
  (func (export "size_with_table") (result i32)
    (i32.add (call $read (i32.const 64) (i32.const 9)) (call $read (i32.const 32) (i32.const 10))))
  (func (export "invert") (result i32)
    (local $size i32) (local $at i32) (local $file i32)
    (local.set $size (call $read (i32.const 32) (i32.const 10)))
    (local.set $at (i32.const 65536))
    (loop $next
      (if (i32.lt_u (local.get $at) (i32.add (i32.const 65536) (local.get $size))) (then
        (i32.store8 (local.get $at)
          (i32.xor (i32.load8_u (local.get $at)) (i32.const 255)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next))))
    (local.set $file
      (call $open (i32.const 48) (i32.const 11) (i32.const 9) (i64.const 64)))
    (i32.store (i32.const 4) (i32.const 65536))
    (i32.store (i32.const 8) (local.get $size))
    (if (call $fd_write (local.get $file) (i32.const 4) (i32.const 1) (i32.const 12))
      (then unreachable))
    (drop (call $fd_close (local.get $file)))
    (i32.const 0))
  (func (export "addf") (param f32 f32) (result f32)
    (f32.add (local.get 0) (local.get 1))))
"""

IMAGE = Mount("image.jpeg", "application/octet-stream", "execution")
TABLE = Mount("table.bin", "application/octet-stream", "deployment")
RESULT = Mount("result.jpeg", "image/jpeg", "output")
PICTURE = Mount("image.jpeg", "image/jpeg", "output")
NUMBER = (("param0", "integer"),)
TABLE_BYTES = bytes(range(100))


def functions(*each: Function) -> dict[str, Function]:
    return {function.name: function for function in each}


def fibo(module_id: str = "6b0245d64195de0afd6afcb4", name: str = "fibo") -> Module:
    """Under several names it stands in one chain several times."""
    offered = functions(
        Function("fibo", NUMBER),
        Function("subtract", (("param0", "integer"), ("param1", "integer"))),
    )
    return Module(module_id, name, bytes(wasmtime.wat2wasm(FIBO)), offered)


def fibo_post(module_id: str = "6b0246754195de0afd6afd99") -> Module:
    offered = functions(Function("fibo", NUMBER, method="post"))
    return Module(module_id, "fibo_post", bytes(wasmtime.wat2wasm(FIBO)), offered)


def fibo_put(module_id: str = "6b0246754195de0afd6afd9b") -> Module:
    offered = functions(Function("fibo", NUMBER, method="put"))
    return Module(module_id, "fibo_put", bytes(wasmtime.wat2wasm(FIBO)), offered)


def stateful_fibo(module_id: str = "6b0245d64195de0afd6afcb7") -> Module:
    offered = functions(Function("fibo", NUMBER))
    return Module(module_id, "stateful_fibo", bytes(wasmtime.wat2wasm(STATEFUL_FIBO)), offered)


def bytes_module(module_id: str = "6b0245d64195de0afd6afcb6") -> Module:
    numbers = (("a", "float"), ("b", "float"))
    offered = functions(
        Function("size_with_table", method="post", mounts=(TABLE, IMAGE)),
        Function("invert", output="image/jpeg", method="post", mounts=(IMAGE, RESULT)),
        Function("addf", numbers, output="float"),
    )
    files = {"table.bin": TABLE_BYTES}
    return Module(module_id, "bytes", bytes(wasmtime.wat2wasm(BYTES)), offered, files)


def camera(module_id: str = "6b0245d64195de0afd6afcb5") -> Module:
    take = Function("take_image_predefined_path", output="image/jpeg", mounts=(PICTURE,))
    return Module(module_id, "camera", example("camera/camera.wasm"), functions(take))


def counter(module_id: str = "6b0245d64195de0afd6afce0") -> Module:
    offered = functions(
        Function("increment", method="post"),
        Function("add", (("amount", "integer"),), method="post"),
        Function("value"),
    )
    return Module(module_id, "counter", example("counter/counter.wasm"), offered)


def endless(module_id: str = "6b0245d64195de0afd6afce1") -> Module:
    offered = functions(
        Function("forever", method="post"),
        Function("trap"),
        Function("spin", (("millions", "integer"),)),
    )
    return Module(module_id, "endless", example("endless/endless.wasm"), offered)


def example(path: str) -> bytes:
    return (EXAMPLES / path).read_bytes()


def module_importing(namespace: str, name: str) -> Module:
    """One that needs a function of its host."""
    text = f'(module (import "{namespace}" "{name}" (func)) (func (export "run")))'
    return Module("6b0245d64195de0afd6afce2", "needy", bytes(wasmtime.wat2wasm(text)), functions())


def idle(module_id: str = "6b0245d64195de0afd6afce3") -> Module:
    """Its function gives nothing; an orchestrator has no word for that."""
    wasm = bytes(wasmtime.wat2wasm('(module (func (export "run")))'))
    return Module(module_id, "idle", wasm, functions(Function("run")))

"""Programs with `_start`: arguments, standard input and output, exit codes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import wasmtime

from servient.errors import DeadlineExceeded, ModuleExited, ModuleTrapped, TooLarge
from servient.wasm.engine import Engine
from servient.wasm.instance import Instance
from servient.wasm.stateless import StatelessInstances
from servient.wasm.types import Call, CallResult, CommandLine, WasiSettings
from tests.wasm.conftest import LIMITS
from tests.wasm.conftest import call as call_instance

WASI = "wasi_snapshot_preview1"
# Writes its environment, its arguments and its input, each followed by a line's end, then does what
# its first argument says: a digit is an exit code, t traps, l loops, f floods, r returns.
PROGRAM = f"""(module
  (import "{WASI}" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
  (import "{WASI}" "args_get" (func $args (param i32 i32) (result i32)))
  (import "{WASI}" "environ_sizes_get" (func $environ_sizes (param i32 i32) (result i32)))
  (import "{WASI}" "environ_get" (func $environ (param i32 i32) (result i32)))
  (import "{WASI}" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "{WASI}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "{WASI}" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 4)
  (global $calls (mut i32) (i32.const 0))
  (data (i32.const 90) "\\n") (data (i32.const 91) "it is bad\\n")
  (func $put (param $descriptor i32) (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $length))
    (drop (call $write (local.get $descriptor) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $line (call $put (i32.const 1) (i32.const 90) (i32.const 1)))
  (func $name (result i32) ;; the first character of argv[1]
    (if (i32.lt_u (i32.load (i32.const 20)) (i32.const 2)) (then (return (i32.const 0))))
    (i32.load8_u (i32.load (i32.const 1004))))
  (func (export "_start")
    (drop (call $environ_sizes (i32.const 20) (i32.const 24)))
    (drop (call $environ (i32.const 1000) (i32.const 4000)))
    (call $put (i32.const 1) (i32.const 4000) (i32.load (i32.const 24))) (call $line)
    (drop (call $args_sizes (i32.const 20) (i32.const 24)))
    (drop (call $args (i32.const 1000) (i32.const 4000)))
    (call $put (i32.const 1) (i32.const 4000) (i32.load (i32.const 24))) (call $line)
    (loop $more
      (i32.store (i32.const 0) (i32.const 65536)) (i32.store (i32.const 4) (i32.const 65536))
      (if (i32.eqz (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))) (then
        (if (i32.load (i32.const 8)) (then
          (call $put (i32.const 1) (i32.const 65536) (i32.load (i32.const 8)))
          (br $more))))))
    (call $line)
    (if (i32.eq (call $name) (i32.const 116)) (then unreachable))
    (if (i32.eq (call $name) (i32.const 108)) (then (loop (br 0))))
    (if (i32.eq (call $name) (i32.const 102)) (then
      (loop (call $put (i32.const 1) (i32.const 65536) (i32.const 65536)) (br 0))))
    (if (i32.eq (call $name) (i32.const 114)) (then (return)))
    (if (call $name) (then
      (if (i32.gt_u (call $name) (i32.const 48)) (then
        (call $put (i32.const 2) (i32.const 91) (i32.const 10))))
      (call $exit (i32.sub (call $name) (i32.const 48))))))
  (func (export "count") (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1))) (global.get $calls))
  (func (export "environment") (result i32)
    (drop (call $environ_sizes (i32.const 20) (i32.const 24)))
    (drop (call $args_sizes (i32.const 28) (i32.const 24)))
    (i32.add (i32.mul (i32.const 10) (i32.load (i32.const 20))) (i32.load (i32.const 28)))))"""


@pytest.fixture
async def programs(engine: Engine, tmp_path: Path) -> AsyncIterator[StatelessInstances]:
    module = await engine.compile(bytes(wasmtime.wat2wasm(PROGRAM)))
    assert module.is_command
    async with StatelessInstances(engine, module, tmp_path, LIMITS, lanes=2) as running:
        yield running


async def run(
    programs: StatelessInstances, *arguments: str, stdin: bytes = b"", seconds: float = 10
) -> CallResult:
    line = CommandLine(arguments, stdin)
    return await programs.call(Call("_start", deadline_seconds=seconds, command_line=line))


async def test_a_program_gets_its_arguments_and_its_input(programs: StatelessInstances) -> None:
    done = await run(programs, "r", "ä b", "", stdin=b"in\0put")
    assert done.stdout == b"\nmodule\0r\0\xc3\xa4 b\0\0\nin\0put\n"
    assert (await run(programs)).stdout == b"\nmodule\0\n\n"
    large = bytes(range(256)) * 2**11
    assert (await run(programs, stdin=large)).stdout == b"\nmodule\0\n" + large + b"\n"


async def test_exit_codes(programs: StatelessInstances) -> None:
    assert (await run(programs, "0", stdin=b"x")).stdout.endswith(b"\nx\n")
    with pytest.raises(ModuleExited, match=r"exit code 7: it is bad$") as failed:
        await run(programs, "7", stdin=b"x")
    assert failed.value.notes == {"stdout": "\nmodule\0007\0\nx\n", "stderr": "it is bad\n"}
    with pytest.raises(ModuleTrapped):
        await run(programs, "t")
    assert programs.generation == 0


async def test_a_program_is_bounded(programs: StatelessInstances) -> None:
    with pytest.raises(DeadlineExceeded):
        await run(programs, "l", seconds=0.2)
    with pytest.raises(DeadlineExceeded) as failed:
        await run(programs, "f", seconds=0.5)
    assert len(failed.value.notes["stdout"]) == 64 * 1024
    with pytest.raises(TooLarge, match="1048576 bytes"):
        await run(programs, "r", stdin=bytes(LIMITS.program_output_bytes))
    assert (await run(programs, "r")).stdout


async def test_runs_share_nothing(programs: StatelessInstances) -> None:
    async def echo(number: int) -> bool:
        body = b"%d" % number * 1000
        return (await run(programs, f"r{number}", stdin=body)).stdout == (
            b"\nmodule\0r%d\0\n" % number + body + b"\n"
        )

    assert all(await asyncio.gather(*map(echo, range(8))))


async def test_environment_and_arguments_are_those_that_were_configured(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_SERVIENT", "secret")
    module = await engine.compile(bytes(wasmtime.wat2wasm(PROGRAM)))
    settings = WasiSettings({"A": "1", "B": "ü"}, ("r", "fixed"))
    async with StatelessInstances(engine, module, tmp_path, LIMITS, settings, lanes=1) as programs:
        done = await run(programs, "own")
        assert done.stdout == "A=1\0B=ü\0\nmodule\0r\0fixed\0own\0\n\n".encode()
    async with Instance(engine, module, tmp_path, LIMITS, settings) as instance:
        assert (await call_instance(instance, "environment")).values == (23,)
        assert [(await call_instance(instance, "count")).values for _ in range(2)] == [(1,), (2,)]
    async with Instance(engine, module, tmp_path, LIMITS) as instance:
        assert (await call_instance(instance, "environment")).values == (1,)

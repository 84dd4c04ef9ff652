"""`sys`: time that obeys the deadline, and text in the stdout of the call."""

import asyncio

import pytest

from servient.errors import DeadlineExceeded, ModuleTrapped, ServientError
from servient.wasm.imports.system import System
from tests.wasm.conftest import LIMITS, call
from tests.wasm.imports.conftest import Run

SYSTEM = """
(module
  (import "sys" "millis" (func $millis (result i32)))
  (import "sys" "delay" (func $delay (param i32)))
  (import "sys" "print" (func $print (param i32 i32)))
  (import "sys" "println" (func $println (param i32)))
  (import "sys" "printInt" (func $printInt (param i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "sys ") (data (i32.const 8) "wasi ")
  (data (i32.const 16) "\\08\\00\\00\\00\\05\\00\\00\\00")
  (func $by_wasi (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 32))))
  (func $by_sys (call $print (i32.const 0) (i32.const 4)))
  (func (export "delay") (param i32) (result i32)
    (local $began i32)
    (local.set $began (call $millis))
    (call $delay (local.get 0))
    (i32.sub (call $millis) (local.get $began)))
  (func (export "numbers") (call $printInt (i32.const -7)) (call $println (i32.const 42)))
  (func (export "mixed") (call $by_sys) (call $by_wasi) (call $by_sys) (call $by_sys) (call $by_wasi))
  (func (export "print") (param i32 i32) (call $print (local.get 0) (local.get 1)))
  (func (export "flood") (param $times i32) (param $length i32)
    (loop
      (call $print (i32.const 0) (local.get $length))
      (local.set $times (i32.sub (local.get $times) (i32.const 1)))
      (br_if 0 (local.get $times)))
    (call $by_wasi)))
"""


async def test_a_delay_takes_its_time_and_no_time_below_zero(run: Run) -> None:
    async with run(SYSTEM, System()) as instance:
        assert (await call(instance, "delay", 30)).values[0] >= 29
        assert (await call(instance, "delay", 0)).values[0] < 5000
        assert (await call(instance, "delay", -1)).values[0] < 5000


async def test_a_delay_ends_at_the_deadline(run: Run) -> None:
    async with run(SYSTEM, System()) as instance:
        with pytest.raises(DeadlineExceeded, match=r"did not end within 0\.3 s"):
            await call(instance, "delay", 2**31 - 1, deadline_seconds=0.3)
        assert (await call(instance, "delay", 1)).values[0] >= 0


async def test_closing_ends_a_delay(run: Run) -> None:
    async with run(SYSTEM, System()) as instance:
        waiting = asyncio.create_task(call(instance, "delay", 60_000, deadline_seconds=60))
        await asyncio.sleep(0.1)
    with pytest.raises(ServientError, match="was removed"):
        await waiting


async def test_numbers_are_printed(run: Run) -> None:
    async with run(SYSTEM, System()) as instance:
        assert (await call(instance, "numbers")).stdout == b"-742\n"
        assert (await call(instance, "delay", 0)).stdout == b""


async def test_what_is_printed_both_ways_stays_in_order(run: Run) -> None:
    async with run(SYSTEM, System()) as instance:
        for _ in range(3):
            assert (await call(instance, "mixed")).stdout == b"sys wasi sys sys wasi "


@pytest.mark.parametrize(("times", "length"), [(1600, 65536), (30_000, 1)])
async def test_a_flood_is_cut_at_the_limit(run: Run, times: int, length: int) -> None:
    async with run(SYSTEM, System()) as instance:
        flood = await call(instance, "flood", times, length, deadline_seconds=30)
        assert len(flood.stdout) == LIMITS.stdout_bytes
        assert flood.stdout.startswith(b"sys " if length > 1 else b"ssss")
        assert (await call(instance, "mixed")).stdout == b"sys wasi sys sys wasi "


async def test_text_outside_the_memory_ends_the_guest(run: Run) -> None:
    async with run(SYSTEM, System()) as instance:
        for address, length in [(0, 100 * 2**20), (65536, 1), (-4, 4), (1, -1)]:
            with pytest.raises(ModuleTrapped, match=r"failed in sys\.print: .* outside its memory"):
                await call(instance, "print", address, length)

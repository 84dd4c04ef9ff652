"""WASI preview 1: what a guest may see, and a sleep that can be interrupted."""

import struct
import time
from pathlib import Path
from typing import Any

import wasmtime

from servient.wasm.watch import Watch

WASI = "wasi_snapshot_preview1"
# What the engine offers of it: all of preview 1.
WASI_FUNCTIONS = frozenset(
    {
        "args_get",
        "args_sizes_get",
        "clock_res_get",
        "clock_time_get",
        "environ_get",
        "environ_sizes_get",
        "fd_advise",
        "fd_allocate",
        "fd_close",
        "fd_datasync",
        "fd_fdstat_get",
        "fd_fdstat_set_flags",
        "fd_fdstat_set_rights",
        "fd_filestat_get",
        "fd_filestat_set_size",
        "fd_filestat_set_times",
        "fd_pread",
        "fd_prestat_dir_name",
        "fd_prestat_get",
        "fd_pwrite",
        "fd_read",
        "fd_readdir",
        "fd_renumber",
        "fd_seek",
        "fd_sync",
        "fd_tell",
        "fd_write",
        "path_create_directory",
        "path_filestat_get",
        "path_filestat_set_times",
        "path_link",
        "path_open",
        "path_readlink",
        "path_remove_directory",
        "path_rename",
        "path_symlink",
        "path_unlink_file",
        "poll_oneoff",
        "proc_exit",
        "proc_raise",
        "random_get",
        "sched_yield",
        "sock_accept",
        "sock_recv",
        "sock_send",
        "sock_shutdown",
    }
)

# Layouts of wasi_snapshot_preview1: `subscription` and `event`.
SUBSCRIPTION_BYTES = 48
EVENT_BYTES = 32
SUBSCRIPTIONS_LIMIT = 1024
CLOCK = 0
CLOCK_REALTIME = 0
ABSOLUTE_TIME = 1
SUCCESS, FAULT, INTERRUPTED, INVALID = 0, 21, 27, 28


def wasi_config(folder: Path, stdout: str, stderr: str) -> wasmtime.WasiConfig:
    """No environment, no input, one argument, and the folder as the current one."""
    config = wasmtime.WasiConfig()
    config.argv = ["module"]
    config.stdout_file = stdout
    config.stderr_file = stderr
    config.preopen_dir(str(folder), ".")
    return config


def define_wasi(linker: wasmtime.Linker, watch: Watch) -> None:
    """All of preview 1, but with a `poll_oneoff` that ends when the guest must."""
    linker.define_wasi()
    linker.allow_shadowing = True
    i32 = wasmtime.ValType.i32()
    linker.define_func(
        WASI,
        "poll_oneoff",
        wasmtime.FuncType([i32, i32, i32, i32], [wasmtime.ValType.i32()]),
        Poll(watch),
        access_caller=True,
    )


class Poll:
    """`poll_oneoff`: the library's own goes on sleeping when the deadline has passed.

    Descriptors are files and always ready; so is a clock whose time has come.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._started = time.monotonic_ns()  # where the guest's monotonic clock began

    def __call__(self, caller: wasmtime.Caller, *pointers: int) -> int:
        # An exception must not leave a host function: it would travel through a slot that is shared
        # by all threads. Whatever is wrong with the pointers is the guest's fault.
        try:
            memory = caller["memory"]
            if not isinstance(memory, wasmtime.Memory):
                return FAULT
            return self._poll(caller, memory, *(pointer & 0xFFFFFFFF for pointer in pointers))
        except (KeyError, ValueError, IndexError, struct.error, TypeError, OverflowError):
            return FAULT

    def _poll(
        self,
        caller: wasmtime.Caller,
        memory: wasmtime.Memory,
        subscriptions: int,
        events: int,
        count: int,
        count_out: int,
    ) -> int:
        if not 0 < count <= SUBSCRIPTIONS_LIMIT:
            return INVALID
        raw = memory.read(caller, subscriptions, subscriptions + count * SUBSCRIPTION_BYTES)
        wanted = [
            raw[at : at + SUBSCRIPTION_BYTES] for at in range(0, len(raw), SUBSCRIPTION_BYTES)
        ]
        waits = [self._wait_seconds(each) for each in wanted]
        if not self._watch.pause(max(0.0, min(waits))):
            return INTERRUPTED
        ready = [each for each, wait in zip(wanted, waits, strict=True) if wait <= min(waits)]
        for index, each in enumerate(ready):
            event = each[:8] + struct.pack("<HB", SUCCESS, each[8]) + bytes(EVENT_BYTES - 11)
            memory.write(caller, event, events + index * EVENT_BYTES)
        memory.write(caller, struct.pack("<I", len(ready)), count_out)
        return SUCCESS

    def _wait_seconds(self, subscription: Any) -> float:
        if subscription[8] != CLOCK:
            return 0.0
        clock, timeout, _, flags = struct.unpack_from("<I4xQQH", subscription, 16)
        if not flags & ABSOLUTE_TIME:
            return float(timeout) / 1e9
        now = time.time_ns() if clock == CLOCK_REALTIME else time.monotonic_ns() - self._started
        return float(timeout - now) / 1e9

"""WASI preview 1: what a guest may see, and a sleep that can be interrupted."""

import struct
import time
from dataclasses import dataclass
from pathlib import Path

import wasmtime

from servient.errors import ModuleTrapped
from servient.wasm.imports.caller import Caller
from servient.wasm.imports.host_function import HostFunction
from servient.wasm.native_types import read_signature
from servient.wasm.types import Signature, ValueType, WasiSettings

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

# What a guest finds as its own name before its arguments.
PROGRAM_NAME = "module"

# Layouts of wasi_snapshot_preview1: `subscription` and `event`.
SUBSCRIPTION_BYTES = 48
EVENT_BYTES = 32
SUBSCRIPTIONS_LIMIT = 1024
CLOCK = 0
CLOCK_REALTIME = 0
ABSOLUTE_TIME = 1
SUCCESS, FAULT, INVALID = 0, 21, 28


@dataclass(frozen=True, slots=True)
class Streams:
    """The files that a guest's standard streams are."""

    stdin: str | None
    stdout: str
    stderr: str


def wasi_config(folder: Path, streams: Streams, settings: WasiSettings) -> wasmtime.WasiConfig:
    """The folder is the current one; without settings there is no environment and one argument."""
    config = wasmtime.WasiConfig()
    config.argv = [PROGRAM_NAME, *settings.arguments]
    config.env = settings.environment.items()
    if streams.stdin is not None:
        config.stdin_file = streams.stdin
    config.stdout_file = streams.stdout
    config.stderr_file = streams.stderr
    config.preopen_dir(str(folder), ".")
    return config


def wasi_signatures(engine: wasmtime.Engine) -> dict[str, Signature]:
    """The types of all functions, as the engine has them."""
    linker, store = wasmtime.Linker(engine), wasmtime.Store(engine)
    linker.define_wasi()
    found = {}
    for name in WASI_FUNCTIONS:
        function = linker.get(store, WASI, name)
        signature = isinstance(function, wasmtime.Func) and read_signature(function.type(store))
        assert signature, name  # noqa: S101 - it is the engine's own
        found[name] = signature
    store.close()
    linker.close()
    return found


class Poll:
    """`poll_oneoff`: the library's own goes on sleeping when the deadline has passed.

    Descriptors are files and always ready; so is a clock whose time has come. One per guest.
    """

    name = "poll_oneoff"

    def __init__(self) -> None:
        self._started = time.monotonic_ns()  # where the guest's monotonic clock began

    def function(self) -> HostFunction:
        i32 = ValueType.I32
        return HostFunction(Signature((i32, i32, i32, i32), (i32,)), self._poll)

    def _poll(
        self, caller: Caller, subscriptions: int, events: int, count: int, count_out: int
    ) -> int:
        if not 0 < count <= SUBSCRIPTIONS_LIMIT:
            return INVALID
        try:
            raw = caller.read(subscriptions, count * SUBSCRIPTION_BYTES)
            ready = self._wait(caller, raw)
            caller.write(events, b"".join(_event(each) for each in ready))
            caller.write_u32(count_out, len(ready))
        except ModuleTrapped:  # the guest's own pointers
            return FAULT
        return SUCCESS

    def _wait(self, caller: Caller, raw: bytes) -> list[bytes]:
        """The subscriptions that are ready, after the time for which none was."""
        wanted = [
            raw[at : at + SUBSCRIPTION_BYTES] for at in range(0, len(raw), SUBSCRIPTION_BYTES)
        ]
        waits = [self._wait_seconds(each) for each in wanted]
        caller.pause(max(0.0, min(waits)))
        return [each for each, wait in zip(wanted, waits, strict=True) if wait <= min(waits)]

    def _wait_seconds(self, subscription: bytes) -> float:
        if subscription[8] != CLOCK:
            return 0.0
        clock, timeout, _, flags = struct.unpack_from("<I4xQQH", subscription, 16)
        if not flags & ABSOLUTE_TIME:
            return float(timeout) / 1e9
        now = time.time_ns() if clock == CLOCK_REALTIME else time.monotonic_ns() - self._started
        return float(timeout - now) / 1e9


def _event(subscription: bytes) -> bytes:
    event = subscription[:8] + struct.pack("<HB", SUCCESS, subscription[8])
    return event.ljust(EVENT_BYTES, b"\0")

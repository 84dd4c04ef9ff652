"""One running copy of a module: its store, and calls into it. Blocking, for one thread."""

import ctypes
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import wasmtime
from wasmtime import _ffi as ffi

from servient.errors import ActionFailed, DeadlineExceeded, ServientError
from servient.wasm.engine import Engine
from servient.wasm.entry import Entry
from servient.wasm.folder import Folder
from servient.wasm.imports.caller import Surroundings
from servient.wasm.imports.link import Link
from servient.wasm.imports.wasi import WASI, Poll, wasi_config
from servient.wasm.module import Module
from servient.wasm.output import Output
from servient.wasm.traps import to_error
from servient.wasm.types import Limits
from servient.wasm.watch import Ending, Watch

logger = logging.getLogger(__name__)

_OnEpoch = ctypes.CFUNCTYPE(
    ctypes.c_size_t,
    ctypes.POINTER(ffi.wasmtime_context_t),
    ctypes.c_void_p,
    ctypes.POINTER(ctypes.c_uint64),
    ctypes.POINTER(ffi.wasmtime_update_deadline_kind_t),
)
_Finalize = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
# The kinds of `wasmtime_update_deadline_kind_t` (wasmtime/store.h).
_CONTINUE, _YIELD = 0, 1

# Looking through a folder costs more than a tick should: four times a second will do.
FOLDER_CHECK_TICKS = 25

Arguments = tuple[int | float, ...]
# The results, and how many seconds the guest took.
Returned = tuple[tuple[int | float, ...], float]


@dataclass(frozen=True, slots=True)
class Suspended:
    """A call that was begun and has left; `began` is on the clock of `time.monotonic`."""

    name: str
    seconds: float
    began: float


class Guest:
    """Instantiates a module and calls its exports until one fails; then it is to be thrown away."""

    def __init__(
        self, engine: Engine, module: Module, folder: Folder, limits: Limits, watch: Watch
    ) -> None:
        self._module = module
        self._watch = watch
        self._folder = folder
        self._ticks = 0
        self.stdout = Output("stdout", limits.stdout_bytes)
        self.stderr = Output("stderr", limits.stdout_bytes)
        self._store = wasmtime.Store(engine.native)
        self._store.set_limits(
            memory_size=limits.memory_bytes,
            table_elements=limits.table_elements,
            instances=1,
            tables=16,
            memories=1,
        )
        self._store.set_wasi(wasi_config(folder.path, self.stdout.path, self.stderr.path))
        self._link = Link(Surroundings(module.signatures, watch, self.stdout))
        self._linker = self._define_imports(engine)
        # Both must live as long as the store, which calls them from its guest's thread.
        self._on_epoch = _OnEpoch(self._epoch)
        self._finalize = _Finalize(lambda _: None)
        ffi.wasmtime_store_epoch_deadline_callback(
            self._store.ptr(), self._on_epoch, None, self._finalize
        )
        self._entries: dict[str, Entry] = {}
        self._may_leave = False

    def _define_imports(self, engine: Engine) -> wasmtime.Linker:
        """What the module imports: WASI, in which a sleep can be interrupted, and host functions."""
        linker = wasmtime.Linker(engine.native)
        linker.define_wasi()
        linker.allow_shadowing = True
        self._link.define(linker, WASI, Poll.name, Poll().function())
        for (namespace, name), function in self._module.host_functions.items():
            self._link.define(linker, namespace, name, function)
        return linker

    def start(self, seconds: float) -> None:
        """Instantiate, which runs a start function, and initialise a reactor."""
        with self._starting(seconds):
            instance = self._linker.instantiate(self._store, self._module.native)
            exports = instance.exports(self._store)
            for name, signature in self._module.signatures.items():
                function = exports[name]
                assert isinstance(function, wasmtime.Func)  # noqa: S101 - its type was a function's
                self._entries[name] = Entry(self._store, name, function, signature)
        if self._module.is_reactor:
            self.call("_initialize", (), seconds)

    def call(self, name: str, arguments: Arguments, seconds: float) -> Returned:
        """Run a call to its end: the results, and how many seconds the guest took."""
        entry = self._entries[name]
        began = self._begin(seconds)
        try:
            values = entry.call(arguments)
        except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
            raise self._reason(repr(name), seconds, error) from error
        finally:
            self._watch.finish()
        if self._watch.interrupted:  # a sleep was cut short, and the guest returned just then
            raise self._reason(repr(name), seconds, None)
        return values, time.monotonic() - began

    def begin(self, name: str, arguments: Arguments, seconds: float) -> "Returned | Suspended":
        """Run a call for no longer than a tick: what it returned, else what `go_on` takes up again.

        Only for a guest without host functions, which could neither leave nor be left.
        """
        entry = self._entries[name]
        suspended = Suspended(name, seconds, self._begin(seconds))
        self._may_leave = True
        try:
            is_over = entry.start(arguments)
        except BaseException:
            self._watch.finish()
            raise
        return self._end(entry, suspended) if is_over else suspended

    def go_on(self, suspended: "Suspended") -> Returned:
        """Run what `begin` left to its end, on whichever thread."""
        entry = self._entries[suspended.name]
        self._may_leave = False
        while not entry.resume():
            pass
        return self._end(entry, suspended)

    def _end(self, entry: Entry, suspended: "Suspended") -> Returned:
        self._watch.finish()
        try:
            return entry.finish(), time.monotonic() - suspended.began
        except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
            raise self._reason(repr(suspended.name), suspended.seconds, error) from error

    def close(self) -> None:
        for entry in self._entries.values():
            entry.abandon()
        self._store.close()
        self._linker.close()
        self._link.close()
        self.stdout.close()
        self.stderr.close()

    def _begin(self, seconds: float) -> float:
        """The guest is about to run, under a deadline; returns the time that it is."""
        if self._module.imports:
            self.stdout.begin()
            self.stderr.begin()
            self._link.begin()
        self._may_leave = False
        return self._watch.begin(seconds)

    @contextmanager
    def _starting(self, seconds: float) -> Iterator[None]:
        what = "the start of the module"
        self._store.set_epoch_deadline(1)
        self._begin(seconds)
        try:
            yield
        except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
            raise self._reason(what, seconds, error) from error
        finally:
            self._watch.finish()
        if self._watch.interrupted:
            raise self._reason(what, seconds, None)

    def _reason(self, what: str, seconds: float, error: Exception | None) -> ServientError:
        if self._link.failure is not None:
            return self._link.failure.to_error(what)
        match self._watch.interrupted:
            case Ending.DEADLINE:
                return DeadlineExceeded(f"{what} did not end within {seconds:g} s")
            case Ending.FOLDER_FULL:
                return ActionFailed(f"{what} was ended: it filled its folder")
            case Ending.CLOSED:
                return ActionFailed(f"{what} was ended: its deployment was removed")
        return to_error(what, error)

    def _epoch(
        self, _context: object, _data: object, delta: Callable[..., int], kind: object
    ) -> int:
        """Called on the guest's thread with every tick: 0 lets it go on, an error ends it."""
        try:
            self._restrain()
            if self._watch.ending is None:
                delta[0] = 1  # type: ignore[index] # a C pointer
                kind[0] = _YIELD if self._may_leave else _CONTINUE  # type: ignore[index] # likewise
                return 0
        except Exception:  # a guest that cannot be watched must not go on
            logger.exception("the watch over a guest failed")
        pointer = ffi.wasmtime_error_new(ctypes.create_string_buffer(b"interrupted"))
        return ctypes.cast(pointer, ctypes.c_void_p).value or 0

    def _restrain(self) -> None:
        """Keep what the guest writes within its limits, while it writes."""
        self.stdout.trim()
        self.stderr.trim()
        self._ticks += 1
        if self._ticks % FOLDER_CHECK_TICKS == 0 and self._folder.is_full():
            self._watch.end(Ending.FOLDER_FULL)

"""One running copy of a module: its store, and calls into it. Blocking, for one thread."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import wasmtime

from servient.errors import ModuleExited, ServientError
from servient.wasm.confines import NEVER, Confines, Parts
from servient.wasm.engine import Engine
from servient.wasm.entry import Entry
from servient.wasm.folder import Folder
from servient.wasm.imports.caller import Surroundings
from servient.wasm.imports.link import Link
from servient.wasm.imports.wasi import WASI, Poll
from servient.wasm.module import Module
from servient.wasm.one_line import one_line
from servient.wasm.output import Output
from servient.wasm.traps import to_error
from servient.wasm.types import NO_SETTINGS, Buffer, Limits, WasiSettings
from servient.wasm.uploads import Uploads
from servient.wasm.watch import Watch

# A module is one instance, with one memory: more are features that it does without.
PARTS = Parts(instances=1, tables=16, memories=1)
SAID_CHARACTERS = 300
# The first tick that a call notices may have been before it, or while others had the processor.
STAY_SECONDS = 0.001

Arguments = tuple[int | float, ...]
# The results, and how many seconds the guest took.
Returned = tuple[tuple[int | float, ...], float]


@dataclass(frozen=True, slots=True)
class Suspended:
    """A call that was begun and has left, and the time that it took the thread until then."""

    name: str
    seconds: float
    spent_seconds: float


class Guest:
    """Instantiates a module and calls its exports until one fails; then it is to be thrown away."""

    def __init__(
        self,
        engine: Engine,
        module: Module,
        folder: Folder,
        limits: Limits,
        watch: Watch,
        wasi: WasiSettings = NO_SETTINGS,
        stdin: bytes | None = None,
    ) -> None:
        self._module = module
        self._watch = watch
        world = wasi if module.imports else None
        self._confines = Confines(engine.native, folder, limits, watch, PARTS, world, stdin)
        self._store = self._confines.store
        self._link = Link(Surroundings(module.signatures, watch, self._confines.stdout, folder))
        self._linker = self._define_imports(engine)
        self._entries: dict[str, Entry] = {}

    @property
    def stdout(self) -> Output:
        return self._confines.stdout

    @property
    def stderr(self) -> Output:
        return self._confines.stderr

    def _define_imports(self, engine: Engine) -> wasmtime.Linker:
        """What the module imports: WASI, in which a sleep can be interrupted, and host functions."""
        linker = wasmtime.Linker(engine.native)
        if not self._module.imports:  # what nobody asks for takes 20 kB of memory
            return linker
        linker.define_wasi()
        linker.allow_shadowing = True
        self._link.define(linker, WASI, Poll.name, Poll().function())
        for (namespace, name), function in self._module.host_functions.items():
            self._link.define(linker, namespace, name, function)
        return linker

    def start(self, seconds: float) -> None:
        """Instantiate, which runs a start function, and initialise a reactor."""
        with self._running("the start of the module", seconds):
            instance = self._linker.instantiate(self._store, self._module.native)
            exports = instance.exports(self._store)
            for name, signature in self._module.signatures.items():
                function = exports[name]
                assert isinstance(function, wasmtime.Func)  # noqa: S101 - its type was a function's
                self._entries[name] = Entry(self._store, name, function, signature)
            self._uploads = Uploads(
                self._store,
                exports.get("memory"),
                self._entries,
                self._module.signatures,
                self._watch,
            )
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

    def call_with(self, name: str, buffers: Sequence[Buffer], seconds: float) -> Returned:
        """The same with addresses and lengths of buffers, put into the memory before, for arguments."""
        began = time.monotonic()
        with self._running(repr(name), seconds):
            values = self._entries[name].call(self._uploads.place(buffers))
            self._uploads.release()
        return values, time.monotonic() - began

    def run(self, name: str, seconds: float) -> Returned:
        """Run a program to its end, which may be an exit: 0 is success."""
        began = time.monotonic()
        try:
            return self.call(name, (), seconds)
        except ModuleExited as error:
            cause = error.__cause__
            if not isinstance(cause, wasmtime.ExitTrap):
                raise
            if cause.code:
                raise ModuleExited(_ended(cause.code, self.stderr.taken())) from error
        return (), time.monotonic() - began

    def begin(self, name: str, arguments: Arguments, seconds: float) -> "Returned | Suspended":
        """Run a call for no longer than a tick: what it returned, else what `go_on` takes up again.

        Only for a guest without host functions, which could neither leave nor be left.
        """
        entry = self._entries[name]
        self._begin(seconds)
        began = time.thread_time()
        self._confines.leaves_at_seconds = began + STAY_SECONDS
        try:
            is_over = entry.start(arguments)
        except BaseException:
            self._watch.finish()
            raise
        spent_seconds = time.thread_time() - began
        if not is_over:
            return Suspended(name, seconds, spent_seconds)
        return self._end(entry, name, seconds), spent_seconds

    def go_on(self, suspended: "Suspended") -> Returned:
        """Run what `begin` left to its end, on whichever thread."""
        entry = self._entries[suspended.name]
        self._confines.leaves_at_seconds = NEVER
        began = time.thread_time()
        while not entry.resume():
            pass
        spent_seconds = suspended.spent_seconds + time.thread_time() - began
        return self._end(entry, suspended.name, suspended.seconds), spent_seconds

    def _end(self, entry: Entry, name: str, seconds: float) -> tuple[int | float, ...]:
        self._watch.finish()
        try:
            return entry.finish()
        except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
            raise self._reason(repr(name), seconds, error) from error

    def close(self) -> None:
        for entry in self._entries.values():
            entry.abandon()
        self._confines.close()
        self._linker.close()
        self._link.close()

    def _begin(self, seconds: float) -> float:
        """The guest is about to run, under a deadline; returns the time that it is."""
        if self._module.imports:
            self._confines.begin_output()
            self._link.begin()
        self._confines.leaves_at_seconds = NEVER
        return self._watch.begin(seconds)

    @contextmanager
    def _running(self, what: str, seconds: float) -> Iterator[None]:
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
        return self._confines.interruption(what, seconds) or to_error(what, error)


def _ended(code: int, stderr: bytes) -> str:
    """With the last that the program said."""
    said = " ".join(stderr.decode(errors="replace").split())[-SAID_CHARACTERS:]
    shown = one_line(said, SAID_CHARACTERS)
    return f"the program ended with exit code {code}" + (f": {shown}" if shown else "")

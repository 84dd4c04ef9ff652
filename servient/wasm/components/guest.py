"""One running copy of a component: its store, and calls into it. Blocking, for one thread."""

import ctypes
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime import component as native

from converters.component_types import FunctionType, ResultType
from servient.errors import ActionFailed
from servient.wasm.components.cells import Cell, cells
from servient.wasm.components.component import Component
from servient.wasm.components.lifting import lift
from servient.wasm.components.lowering import Lowering
from servient.wasm.components.traps import component_error
from servient.wasm.confines import Confines, Parts
from servient.wasm.engine import Engine
from servient.wasm.folder import Folder
from servient.wasm.output import Output
from servient.wasm.types import NO_SETTINGS, Limits, WasiSettings
from servient.wasm.watch import Watch

# Toolchains put adapters, shims and runtimes beside a program; each memory has the limit of a module's.
PARTS = Parts(instances=32, tables=32, memories=4)

_REASON_CHARACTERS = 500


class ComponentGuest:
    """Instantiates a component and calls its exports until one fails; then it is to be thrown away."""

    def __init__(
        self,
        engine: Engine,
        component: Component,
        folder: Folder,
        limits: Limits,
        watch: Watch,
        wasi: WasiSettings = NO_SETTINGS,
    ) -> None:
        self._component = component
        self._watch = watch
        self._confines = Confines(engine.native, folder, limits, watch, PARTS, wasi)
        self._store = self._confines.store
        self._linker = native.Linker(engine.native)
        self._linker.add_wasip2()
        self._functions: dict[str, native.Func] = {}
        self.is_well = True

    @property
    def stdout(self) -> Output:
        return self._confines.stdout

    @property
    def stderr(self) -> Output:
        return self._confines.stderr

    def start(self, seconds: float) -> None:
        """Instantiate, which runs the start functions of what the component consists of."""
        with self._running("the start of the component", seconds):
            instance = self._linker.instantiate(self._store, self._component.native)
        for name, export in self._component.exports.items():
            function = instance.get_func(self._store, self._component.index(export))
            assert function is not None  # noqa: S101 - its type was a function's
            self._functions[name] = function

    def call(self, name: str, arguments: Mapping[str, Any], seconds: float) -> tuple[Any, float]:
        """What came out, as JSON or bytes, and how many seconds the guest took.

        Raises InvalidInput or TooLarge before the guest is entered, and ActionFailed for the error that
        the function returned. The guest is to be thrown away when it is no longer `is_well`.
        """
        signature = self._component.signatures[name]
        count = len(signature.parameters)
        with cells(count) as given, cells(1) as returned:
            Lowering().parameters(signature.parameters, arguments, given)
            has_result = signature.result is not None
            with self._running(repr(name), seconds):
                began = time.perf_counter()
                self._enter(self._functions[name], given, returned if has_result else None)
                spent = time.perf_counter() - began
            return _output(name, signature, returned[0]), spent

    def _enter(self, function: native.Func, given: Any, returned: Any) -> None:
        """The C function below `Func.__call__`, which looks up all types at each call."""
        error = ffi.wasmtime_component_func_call(
            ctypes.byref(function._func),
            self._store._context(),
            given,
            len(given),
            returned,
            0 if returned is None else 1,
        )
        if error:
            raise wasmtime.WasmtimeError._from_ptr(error)

    def close(self) -> None:
        self._confines.close()
        self._linker.close()

    @contextmanager
    def _running(self, what: str, seconds: float) -> Iterator[None]:
        """The guest runs inside, under a deadline; how it ends is told by one of our errors."""
        self._confines.begin_output()
        self._watch.begin(seconds)
        try:
            yield
        except wasmtime.WasmtimeError as error:
            self.is_well = False
            interruption = self._confines.interruption(what, seconds)
            raise interruption or component_error(what, error) from error
        finally:
            self._watch.finish()


def _output(name: str, signature: FunctionType, cell: Cell) -> Any:
    if signature.result is None:
        return None
    if not isinstance(signature.result, ResultType):
        return lift(signature.result, cell)
    result = cell.of.result
    kind = signature.result.ok if result.is_ok else signature.result.err
    value = None if kind is None else lift(kind, result.val.contents)
    if result.is_ok:
        return value
    raise ActionFailed(f"{name!r} failed" + ("" if value is None else f": {_shown(value)}"))


def _shown(value: Any) -> str:
    """The error that a function returned, as JSON, or as it is when it is a sentence."""
    if isinstance(value, str):
        return value[:_REASON_CHARACTERS]
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return json.dumps(value, ensure_ascii=False)[:_REASON_CHARACTERS]

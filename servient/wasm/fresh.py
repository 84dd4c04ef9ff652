"""One call in an instance of its own that nobody has used before, and that is gone afterwards."""

import ctypes
import logging
import time
from collections.abc import Iterable
from ctypes import POINTER, addressof, cast
from typing import Any, NoReturn

import wasmtime
from wasmtime import _ffi as ffi

from servient.wasm import capi
from servient.wasm.configuration import TABLES_LIMIT
from servient.wasm.engine import Engine
from servient.wasm.module import Module
from servient.wasm.traps import interruption, to_error
from servient.wasm.types import Limits
from servient.wasm.values import SLOT_BYTES, Codec
from servient.wasm.watch import Watch

logger = logging.getLogger(__name__)

Returned = tuple[tuple[int | float, ...], float]


class FreshCalls:
    """Calls of a module without imports, each in a new instance from the engine's pool.

    To be used by one thread at a time; each has its own. What is written in one call is never seen
    by another, and what a call does cannot outlive it.
    """

    def __init__(self, engine: Engine, module: Module, limits: Limits, watch: Watch) -> None:
        self._module = module
        self._watch = watch
        self._pool = engine.pool()
        self._slots = engine.pool_slots
        self._native = module.native_in(self._pool)
        linker = wasmtime.Linker(self._pool)
        self._pre = linker.instantiate_pre(self._native)
        self._pool_at = cast(self._pool.ptr(), capi.ADDRESS).value
        self._pre_at = cast(self._pre.ptr(), capi.ADDRESS).value
        self._limits = (limits.memory_bytes, limits.table_elements, 1, TABLES_LIMIT, 1)
        self._instance = ffi.wasmtime_instance_t()
        self._instance_at = addressof(self._instance)
        self._extern = ffi.wasmtime_extern_t()
        self._extern_at = addressof(self._extern)
        self._function_at = addressof(self._extern.of.func)
        self._trap = capi.ADDRESS()
        self._trap_at = addressof(self._trap)
        self._on_epoch = capi.EpochCallback(self._epoch)
        self._on_epoch_at = cast(self._on_epoch, capi.ADDRESS).value
        self._exports = dict(_exports(module))

    def call(self, name: str, arguments: tuple[int | float, ...], seconds: float) -> Returned:
        """The results, and how many seconds it took. Raises as `Guest.call` does."""
        export = self._exports[name]
        export.encode(arguments)
        self._slots.get()
        began = self._watch.begin(seconds)
        store = capi.store_new(self._pool_at, None, None)
        try:
            self._run(store, export)
        except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
            ended = interruption(self._watch, repr(name), seconds)
            raise (ended or to_error(repr(name), error)) from error
        finally:
            capi.store_delete(store)
            self._watch.finish()
            self._slots.put(None)
        return export.decode(), time.monotonic() - began

    def _run(self, store: int, export: "_Export") -> None:
        context = capi.store_context(store)
        capi.store_limiter(store, *self._limits)
        capi.store_epoch_callback(store, self._on_epoch_at, None, None)
        capi.context_set_epoch_deadline(context, 1)
        error = capi.instance_pre_instantiate(
            self._pre_at, context, self._instance_at, self._trap_at
        )
        if error or self._trap.value:
            self._raise(error)
        capi.instance_export_get(
            context, self._instance_at, export.name_at, export.name_length, self._extern_at
        )
        error = capi.func_call_unchecked(
            context, self._function_at, export.slots_at, export.slot_count, self._trap_at
        )
        if error or self._trap.value:
            self._raise(error)

    def _raise(self, error: int | None) -> NoReturn:
        trap, self._trap.value = self._trap.value, None
        if error:
            raise wasmtime.WasmtimeError._from_ptr(cast(error, POINTER(ffi.wasmtime_error_t)))
        raise wasmtime.Trap._from_ptr(cast(trap or 0, POINTER(ffi.wasm_trap_t)))

    def _epoch(self, _context: int, _data: int, delta: Any, kind: Any) -> int:
        try:
            if self._watch.ending is None:
                delta[0], kind[0] = 1, capi.GO_ON
                return 0
        except Exception:  # a guest that cannot be watched must not go on
            logger.exception("the watch over a guest failed")
        return capi.interrupted()


class _Export:
    """The name and the slots of one export."""

    def __init__(self, name: str, module: Module) -> None:
        self._name = name
        self._codec = Codec(module.signatures[name])
        self._slots = (ctypes.c_uint8 * (SLOT_BYTES * self._codec.slot_count))()
        self._text = ctypes.create_string_buffer(name.encode())
        self.name_at = addressof(self._text)
        self.name_length = len(name.encode())
        self.slots_at = addressof(self._slots)
        self.slot_count = self._codec.slot_count

    def encode(self, arguments: tuple[int | float, ...]) -> None:
        self._codec.put(self._slots, self._name, arguments)

    def decode(self) -> tuple[int | float, ...]:
        return self._codec.decode(self._slots)


def _exports(module: Module) -> Iterable[tuple[str, _Export]]:
    return ((name, _Export(name, module)) for name in module.signatures)

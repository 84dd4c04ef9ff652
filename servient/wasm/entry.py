"""One export of one guest, made ready to be called again and again without looking anything up."""

import ctypes
from ctypes import POINTER, addressof, cast
from typing import NoReturn

import wasmtime
from wasmtime import _ffi as ffi

from servient.wasm import capi
from servient.wasm.types import Signature, ValueType
from servient.wasm.values import SLOT_BYTES, Codec, TaggedCodec

# The kind of `wasmtime_val_t` (wasmtime/val.h).
_KINDS = {
    ValueType.I32: ffi.WASMTIME_I32.value,
    ValueType.I64: ffi.WASMTIME_I64.value,
    ValueType.F32: ffi.WASMTIME_F32.value,
    ValueType.F64: ffi.WASMTIME_F64.value,
}


class Entry:
    """Calls of one function, one at a time, through the engine's C functions.

    Below the library's `Func`, which looks up all types anew at each call. There are two ways in:
    `call` runs to the end; `start` runs on a stack of its own, which the guest may leave at a tick
    (when its epoch callback says so) to be taken up again by `resume`, on whichever thread.
    """

    def __init__(
        self, store: wasmtime.Store, name: str, function: wasmtime.Func, signature: Signature
    ) -> None:
        self._name = name
        self._signature = signature
        self._codec, self._tagged = Codec(signature), TaggedCodec(signature, _KINDS)
        self._context = cast(store._context(), capi.ADDRESS).value
        self._function = function  # whose address is taken
        self._function_at = addressof(function._func)
        self._slots = (ctypes.c_uint8 * (SLOT_BYTES * self._codec.slot_count))()
        self._slots_at = addressof(self._slots)
        self._trap = capi.ADDRESS()
        self._trap_at = addressof(self._trap)
        self._error = capi.ADDRESS()
        self._error_at = addressof(self._error)
        self._values = (ffi.wasmtime_val_t * max(1, len(signature.parameters)))()
        self._values_at = addressof(self._values)
        self._results = (ffi.wasmtime_val_t * max(1, len(signature.results)))()
        self._results_at = addressof(self._results)
        self._future: int | None = None

    def call(self, arguments: tuple[int | float, ...]) -> tuple[int | float, ...]:
        """Raises InvalidInput, and WasmtimeError or Trap."""
        self._codec.put(self._slots, self._name, arguments)
        error = capi.func_call_unchecked(
            self._context, self._function_at, self._slots_at, self._codec.slot_count, self._trap_at
        )
        if error or self._trap.value:
            self._raise(error)
        return self._codec.decode(self._slots)

    def start(self, arguments: tuple[int | float, ...]) -> bool:
        """Begin a call; whether it is over. Raises InvalidInput."""
        self._tagged.put(self._values, self._name, arguments)
        self._future = capi.func_call_async(
            self._context,
            self._function_at,
            self._values_at,
            len(arguments),
            self._results_at,
            len(self._signature.results),
            self._trap_at,
            self._error_at,
        )
        return bool(capi.call_future_poll(self._future))

    def resume(self) -> bool:
        """Go on with the call until it ends or leaves again; whether it is over."""
        return bool(capi.call_future_poll(self._future))

    def finish(self) -> tuple[int | float, ...]:
        """What a call that is over gave. Raises WasmtimeError or Trap."""
        self.abandon()
        if (error := self._error.value) or self._trap.value:
            self._error.value = None
            self._raise(error)
        return self._tagged.decode(self._results)

    def abandon(self) -> None:
        """Free the stack of a call, whether or not it is over."""
        if self._future is not None:
            capi.call_future_delete(self._future)
            self._future = None

    def _raise(self, error: int | None) -> NoReturn:
        trap, self._trap.value = self._trap.value, None
        if error:
            raise wasmtime.WasmtimeError._from_ptr(cast(error, POINTER(ffi.wasmtime_error_t)))
        raise wasmtime.Trap._from_ptr(cast(trap or 0, POINTER(ffi.wasm_trap_t)))

"""Calls through the engine's C functions, below its Python wrapper."""

import ctypes

import wasmtime
from wasmtime import _ffi as ffi

Slots = ctypes.Array[ctypes.c_uint8]


def call_unchecked(
    store: wasmtime.Store | wasmtime.Caller, function: wasmtime.Func, slots: Slots, count: int
) -> None:
    """The C function below `Func.__call__`, which would look up all types anew at each call.

    `slots` hold the arguments, and the results afterwards. Raises WasmtimeError or Trap.
    """
    trap = ctypes.POINTER(ffi.wasm_trap_t)()
    error = ffi.wasmtime_func_call_unchecked(
        store._context(),
        ctypes.byref(function._func),
        ctypes.cast(slots, ctypes.POINTER(ffi.wasmtime_val_raw_t)),
        count,
        ctypes.byref(trap),
    )
    if error:
        raise wasmtime.WasmtimeError._from_ptr(error)
    if trap:
        raise wasmtime.Trap._from_ptr(trap)

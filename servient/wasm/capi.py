"""C functions of the engine, declared with plain addresses for pointers.

The library declares them too, with typed pointers that are made and checked at each call; here that
would cost more than the calls themselves. Names and order of parameters are those of the headers
wasmtime/{store,instance,func,async,error}.h. Whoever passes an address keeps what lies there alive.
"""

import ctypes
from typing import Any

from wasmtime import _ffi as ffi

ADDRESS = ctypes.c_void_p
_SIZE = ctypes.c_size_t
_I64, _U64, _BOOL = ctypes.c_int64, ctypes.c_uint64, ctypes.c_bool


def _function(name: str, result: Any, *parameters: Any) -> Any:
    return ctypes.CFUNCTYPE(result, *parameters)((name, ffi.dll))


store_new = _function("wasmtime_store_new", ADDRESS, ADDRESS, ADDRESS, ADDRESS)
store_context = _function("wasmtime_store_context", ADDRESS, ADDRESS)
store_delete = _function("wasmtime_store_delete", None, ADDRESS)
store_limiter = _function("wasmtime_store_limiter", None, ADDRESS, _I64, _I64, _I64, _I64, _I64)
store_epoch_callback = _function(
    "wasmtime_store_epoch_deadline_callback", None, ADDRESS, ADDRESS, ADDRESS, ADDRESS
)
context_set_epoch_deadline = _function("wasmtime_context_set_epoch_deadline", None, ADDRESS, _U64)

instance_pre_instantiate = _function(
    "wasmtime_instance_pre_instantiate", ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS
)
instance_export_get = _function(
    "wasmtime_instance_export_get", _BOOL, ADDRESS, ADDRESS, ADDRESS, _SIZE, ADDRESS
)

func_call_unchecked = _function(
    "wasmtime_func_call_unchecked", ADDRESS, ADDRESS, ADDRESS, ADDRESS, _SIZE, ADDRESS
)
func_call_async = _function(
    "wasmtime_func_call_async",
    ADDRESS,
    *(ADDRESS, ADDRESS, ADDRESS, _SIZE, ADDRESS, _SIZE, ADDRESS, ADDRESS),
)
call_future_poll = _function("wasmtime_call_future_poll", _BOOL, ADDRESS)
call_future_delete = _function("wasmtime_call_future_delete", None, ADDRESS)

_error_new = _function("wasmtime_error_new", ADDRESS, ADDRESS)

# What a store calls at each tick (`wasmtime_update_deadline_kind_t` is a byte: go on, or leave).
EpochCallback = ctypes.CFUNCTYPE(
    _SIZE, ADDRESS, ADDRESS, ctypes.POINTER(_U64), ctypes.POINTER(ctypes.c_uint8)
)
GO_ON, LEAVE = 0, 1
_INTERRUPTED = ctypes.create_string_buffer(b"interrupted")


def interrupted() -> int:
    """A new error with which an epoch callback ends its guest; the engine frees it."""
    return int(_error_new(ctypes.addressof(_INTERRUPTED)))

"""The engine's component values in memory: cells of 32 bytes that say of what kind they are."""

import ctypes
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from wasmtime import _ffi as ffi

from converters.component_types import (
    EnumType,
    FlagsType,
    ListType,
    OptionType,
    Primitive,
    RecordType,
    ResultType,
    TupleType,
    VariantType,
)

# `wasmtime_component_val_t` of wasmtime/component/val.h.
Cell: TypeAlias = Any
CELL_BYTES = ctypes.sizeof(ffi.wasmtime_component_val_t)
PAYLOAD_OFFSET = ffi.wasmtime_component_val_t.of.offset

KIND: Mapping[Any, int] = {
    Primitive.BOOL: ffi.WASMTIME_COMPONENT_BOOL.value,
    Primitive.S8: ffi.WASMTIME_COMPONENT_S8.value,
    Primitive.U8: ffi.WASMTIME_COMPONENT_U8.value,
    Primitive.S16: ffi.WASMTIME_COMPONENT_S16.value,
    Primitive.U16: ffi.WASMTIME_COMPONENT_U16.value,
    Primitive.S32: ffi.WASMTIME_COMPONENT_S32.value,
    Primitive.U32: ffi.WASMTIME_COMPONENT_U32.value,
    Primitive.S64: ffi.WASMTIME_COMPONENT_S64.value,
    Primitive.U64: ffi.WASMTIME_COMPONENT_U64.value,
    Primitive.F32: ffi.WASMTIME_COMPONENT_F32.value,
    Primitive.F64: ffi.WASMTIME_COMPONENT_F64.value,
    Primitive.CHAR: ffi.WASMTIME_COMPONENT_CHAR.value,
    Primitive.STRING: ffi.WASMTIME_COMPONENT_STRING.value,
    ListType: ffi.WASMTIME_COMPONENT_LIST.value,
    RecordType: ffi.WASMTIME_COMPONENT_RECORD.value,
    TupleType: ffi.WASMTIME_COMPONENT_TUPLE.value,
    VariantType: ffi.WASMTIME_COMPONENT_VARIANT.value,
    EnumType: ffi.WASMTIME_COMPONENT_ENUM.value,
    OptionType: ffi.WASMTIME_COMPONENT_OPTION.value,
    ResultType: ffi.WASMTIME_COMPONENT_RESULT.value,
    FlagsType: ffi.WASMTIME_COMPONENT_FLAGS.value,
}


@contextmanager
def cells(count: int) -> Iterator[Any]:
    """An array of so many cells; what they own is freed in the end. An empty cell is false."""
    array = (ffi.wasmtime_component_val_t * count)()
    try:
        yield array
    finally:
        for cell in array:
            ffi.wasmtime_component_val_delete(ctypes.byref(cell))

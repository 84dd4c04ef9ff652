"""JSON values of primitive types, and bytes, into the engine's component values."""

import base64
import binascii
import math
import struct
from collections.abc import Callable, Mapping
from typing import Any

from wasmtime import _ffi as ffi

from converters.component_types import INTEGERS, Primitive
from servient.wasm.components.cells import KIND, Cell
from servient.wasm.components.faults import refuse, show

LARGEST_F32 = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]


def _bool(kind: Primitive, value: Any, cell: Cell, pointer: str) -> None:
    if not isinstance(value, bool):
        refuse(pointer, f"must be true or false, not {show(value)}")
    cell.of.boolean = value
    cell.kind = KIND[kind]


def _integer(kind: Primitive, value: Any, cell: Cell, pointer: str) -> None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        refuse(pointer, f"must be an integer ({kind}), not {show(value)}")
    integer = INTEGERS[kind]
    if not integer.minimum <= value <= integer.maximum:
        refuse(pointer, f"must be from {integer.minimum} to {integer.maximum} ({kind})")
    setattr(cell.of, kind.value, value)
    cell.kind = KIND[kind]


def _float(kind: Primitive, value: Any, cell: Cell, pointer: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(pointer, f"must be a number ({kind}), not {show(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or (kind is Primitive.F32 and abs(number) > LARGEST_F32):
        refuse(pointer, f"is outside the range of a {kind}")
    setattr(cell.of, kind.value, number)
    cell.kind = KIND[kind]


def _char(kind: Primitive, value: Any, cell: Cell, pointer: str) -> None:
    if not isinstance(value, str) or len(_encoded(value, pointer).decode()) != 1:
        refuse(pointer, f"must be a string of one character, not {show(value)}")
    cell.of.character = ord(value)
    cell.kind = KIND[kind]


def _string(kind: Primitive, value: Any, cell: Cell, pointer: str) -> None:
    if not isinstance(value, str):
        refuse(pointer, f"must be a string, not {show(value)}")
    cell.of.string = ffi.bytes_to_capi(_encoded(value, pointer))
    cell.kind = KIND[kind]


PRIMITIVES: Mapping[Primitive, Callable[[Primitive, Any, Cell, str], None]] = {
    Primitive.BOOL: _bool,
    Primitive.F32: _float,
    Primitive.F64: _float,
    Primitive.CHAR: _char,
    Primitive.STRING: _string,
} | dict.fromkeys(INTEGERS, _integer)


def from_base64(value: Any, pointer: str) -> bytes:
    if not isinstance(value, str):
        refuse(pointer, f"must be a string in base64, not {show(value)}")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        refuse(pointer, f"is not base64: {error}")


def _encoded(text: str, pointer: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        refuse(pointer, "has half of a surrogate pair")

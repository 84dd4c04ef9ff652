"""The engine's component values as JSON values; bytes stay bytes where they are the whole value."""

import base64
import ctypes
import math
from collections.abc import Callable, Mapping
from typing import Any

from wasmtime import _ffi as ffi

from converters.component_types import (
    BYTES,
    INTEGERS,
    SOME,
    ComponentType,
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
from servient.errors import ActionFailed
from servient.wasm.components.cells import CELL_BYTES, PAYLOAD_OFFSET, Cell


def lift(kind: ComponentType, cell: Cell) -> Any:
    """Raises ActionFailed for what JSON cannot say: NaN and infinities. The cell keeps its value."""
    if kind == BYTES:
        return _bytes(cell)
    return _lift(kind, cell)


def _lift(kind: ComponentType, cell: Cell) -> Any:
    if isinstance(kind, Primitive):
        return _PRIMITIVES[kind](kind, cell)
    return _LIFTERS[type(kind)](kind, cell)


def _bytes(cell: Cell) -> bytes:
    size = cell.of.list.size
    if not size:
        return b""
    start = ctypes.addressof(cell.of.list.data.contents)
    raw = (ctypes.c_uint8 * (size * CELL_BYTES)).from_address(start)
    return memoryview(raw).cast("B")[PAYLOAD_OFFSET::CELL_BYTES].tobytes()


def _list(kind: ListType, cell: Cell) -> Any:
    if kind == BYTES:
        return base64.b64encode(_bytes(cell)).decode("ascii")
    data = cell.of.list.data
    return [_lift(kind.element, data[index]) for index in range(cell.of.list.size)]


def _record(kind: RecordType, cell: Cell) -> Any:
    entries = cell.of.record.data
    found = {}
    for index, (name, member) in enumerate(kind.fields):
        value = entries[index].val
        if not isinstance(member, OptionType):
            found[name] = _lift(member, value)
        elif value.of.option:
            found[name] = _lift(member.payload, value.of.option.contents)
    return found


def _tuple(kind: TupleType, cell: Cell) -> Any:
    data = cell.of.tuple.data
    return [_lift(element, data[index]) for index, element in enumerate(kind.elements)]


def _option(kind: OptionType, cell: Cell) -> Any:
    if not cell.of.option:
        return None
    value = _lift(kind.payload, cell.of.option.contents)
    return {SOME: value} if isinstance(kind.payload, OptionType) else value


def _variant(kind: VariantType, cell: Cell) -> Any:
    tag = _text(cell.of.variant.discriminant)
    return _tagged(tag, dict(kind.cases)[tag], cell.of.variant.val)


def _result(kind: ResultType, cell: Cell) -> Any:
    tag, payload = ("ok", kind.ok) if cell.of.result.is_ok else ("err", kind.err)
    return _tagged(tag, payload, cell.of.result.val)


def _tagged(tag: str, payload: ComponentType | None, value: Any) -> Any:
    return tag if payload is None else {tag: _lift(payload, value.contents)}


def _enum(_kind: EnumType, cell: Cell) -> Any:
    return _text(cell.of.enumeration)


def _flags(kind: FlagsType, cell: Cell) -> Any:
    flags = cell.of.flags
    named = {_text(flags.data[index]) for index in range(flags.size)}
    return [name for name in kind.names if name in named]


_LIFTERS: Mapping[type, Callable[[Any, Cell], Any]] = {
    ListType: _list,
    RecordType: _record,
    TupleType: _tuple,
    OptionType: _option,
    VariantType: _variant,
    ResultType: _result,
    EnumType: _enum,
    FlagsType: _flags,
}


def _bool(_kind: Primitive, cell: Cell) -> Any:
    return bool(cell.of.boolean)


def _integer(kind: Primitive, cell: Cell) -> Any:
    return int(getattr(cell.of, kind.value))


def _float(kind: Primitive, cell: Cell) -> Any:
    number = float(getattr(cell.of, kind.value))
    if not math.isfinite(number):
        raise ActionFailed(f"the function returned {number}, which JSON cannot say")
    return number


def _char(_kind: Primitive, cell: Cell) -> Any:
    return chr(cell.of.character)


def _string(_kind: Primitive, cell: Cell) -> Any:
    return _text(cell.of.string)


def _text(name: ffi.wasm_byte_vec_t) -> str:
    return ctypes.string_at(name.data, name.size).decode() if name.size else ""


_PRIMITIVES: Mapping[Primitive, Callable[[Primitive, Cell], Any]] = {
    Primitive.BOOL: _bool,
    Primitive.F32: _float,
    Primitive.F64: _float,
    Primitive.CHAR: _char,
    Primitive.STRING: _string,
} | dict.fromkeys(INTEGERS, _integer)

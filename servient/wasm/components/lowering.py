"""JSON values into the engine's component values, checked on the way."""

import ctypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wasmtime import _ffi as ffi

from converters.component_types import (
    BYTES,
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
    cases_of,
)
from servient.errors import TooLarge
from servient.wasm.components.cells import CELL_BYTES, KIND, PAYLOAD_OFFSET, Cell
from servient.wasm.components.faults import at, refuse, show
from servient.wasm.components.primitives import PRIMITIVES, from_base64

# Each takes 32 bytes on the host's side, whatever it is.
VALUES_LIMIT = 2**22


@dataclass(slots=True)
class Lowering:
    """Puts the arguments of one call into cells, which whoever owns them deletes.

    A cell is whole at any time, so that it may be deleted when a part of it was refused.
    """

    count: int = 0

    def parameters(
        self,
        expected: Sequence[tuple[str, ComponentType]],
        arguments: Mapping[str, Any],
        cells: Sequence[Cell],
    ) -> None:
        """Raises InvalidInput, whose faults point into the arguments, and TooLarge."""
        for (name, kind), cell in zip(expected, cells, strict=True):
            self._member(name, kind, arguments, cell, "")

    def _value(self, kind: ComponentType, value: Any, cell: Cell, pointer: str) -> None:
        self._take(1)
        if isinstance(kind, Primitive):
            PRIMITIVES[kind](kind, value, cell, pointer)
        else:
            _LOWERERS[type(kind)](self, kind, value, cell, pointer)

    def _take(self, count: int) -> None:
        self.count += count
        if self.count > VALUES_LIMIT:
            raise TooLarge(f"the input has more than {VALUES_LIMIT} values for a component")

    def _member(
        self, name: str, kind: ComponentType, members: Mapping[str, Any], cell: Cell, pointer: str
    ) -> None:
        """A member of an object; an option that is left out has no value."""
        here = at(pointer, name)
        if name not in members:
            if not isinstance(kind, OptionType):
                refuse(pointer, f"{name!r} is missing")
            _empty_option(cell)
        elif isinstance(kind, OptionType):
            _empty_option(cell)
            cell.of.option = _new_cell()
            self._value(kind.payload, members[name], cell.of.option.contents, here)
        else:
            self._value(kind, members[name], cell, here)

    def _list(self, kind: ListType, value: Any, cell: Cell, pointer: str) -> None:
        if kind == BYTES:
            self._bytes(value, cell, pointer)
            return
        elements = _array(value, pointer)
        data = _new_vector(cell, KIND[ListType], cell.of.list, len(elements))
        for index, element in enumerate(elements):
            self._value(kind.element, element, data[index], at(pointer, index))

    def _bytes(self, value: Any, cell: Cell, pointer: str) -> None:
        body = value if isinstance(value, bytes) else from_base64(value, pointer)
        self._take(len(body))
        data = _new_vector(cell, KIND[ListType], cell.of.list, len(body))
        # All cells at once: one by one takes microseconds each.
        cells = bytearray(len(body) * CELL_BYTES)
        cells[::CELL_BYTES] = bytes([KIND[Primitive.U8]]) * len(body)
        cells[PAYLOAD_OFFSET::CELL_BYTES] = body
        if body:
            ctypes.memmove(data, bytes(cells), len(cells))

    def _record(self, kind: RecordType, value: Any, cell: Cell, pointer: str) -> None:
        if not isinstance(value, dict):
            refuse(pointer, f"must be an object, not {show(value)}")
        entries = _new_vector(cell, KIND[RecordType], cell.of.record, len(kind.fields))
        for index, (name, member) in enumerate(kind.fields):
            entries[index].name = ffi.str_to_capi(name)
            self._member(name, member, value, entries[index].val, pointer)

    def _tuple(self, kind: TupleType, value: Any, cell: Cell, pointer: str) -> None:
        elements = _array(value, pointer)
        if len(elements) != len(kind.elements):
            refuse(pointer, f"must have {len(kind.elements)} elements, not {len(elements)}")
        data = _new_vector(cell, KIND[TupleType], cell.of.tuple, len(elements))
        for index, (each, element) in enumerate(zip(kind.elements, elements, strict=True)):
            self._value(each, element, data[index], at(pointer, index))

    def _option(self, kind: OptionType, value: Any, cell: Cell, pointer: str) -> None:
        _empty_option(cell)
        if value is None:
            return
        payload, here = value, pointer
        if isinstance(kind.payload, OptionType):
            if not isinstance(value, dict) or SOME not in value:
                refuse(pointer, f"must be null or an object with {SOME!r}")
            payload, here = value[SOME], at(pointer, SOME)
        cell.of.option = _new_cell()
        self._value(kind.payload, payload, cell.of.option.contents, here)

    def _variant(self, kind: VariantType, value: Any, cell: Cell, pointer: str) -> None:
        tag, payload = _case(cases_of(kind), value, pointer)
        cell.of.variant.discriminant = ffi.str_to_capi(tag)
        cell.of.variant.val = None
        cell.kind = KIND[VariantType]
        if payload is not None:
            cell.of.variant.val = _new_cell()
            self._value(payload, value[tag], cell.of.variant.val.contents, at(pointer, tag))

    def _result(self, kind: ResultType, value: Any, cell: Cell, pointer: str) -> None:
        tag, payload = _case(cases_of(kind), value, pointer)
        cell.of.result.is_ok = tag == "ok"
        cell.of.result.val = None
        cell.kind = KIND[ResultType]
        if payload is not None:
            cell.of.result.val = _new_cell()
            self._value(payload, value[tag], cell.of.result.val.contents, at(pointer, tag))

    def _enum(self, kind: EnumType, value: Any, cell: Cell, pointer: str) -> None:
        if not isinstance(value, str) or value not in kind.names:
            refuse(pointer, f"must be one of {', '.join(kind.names)}, not {show(value)}")
        cell.of.enumeration = ffi.str_to_capi(value)
        cell.kind = KIND[EnumType]

    def _flags(self, kind: FlagsType, value: Any, cell: Cell, pointer: str) -> None:
        names = _array(value, pointer)
        for index, name in enumerate(names):
            if not isinstance(name, str) or name not in kind.names:
                known = ", ".join(kind.names)
                refuse(at(pointer, index), f"must be one of {known}, not {show(name)}")
        if len(set(names)) != len(names):
            refuse(pointer, "names a flag twice")
        flags = ffi.wasmtime_component_valflags_t()
        ffi.wasmtime_component_valflags_new_uninit(ctypes.byref(flags), len(names))
        for index, name in enumerate(names):
            flags.data[index] = ffi.str_to_capi(name)
        cell.of.flags = flags
        cell.kind = KIND[FlagsType]


_LOWERERS: Mapping[type, Callable[[Lowering, Any, Any, Cell, str], None]] = {
    ListType: Lowering._list,
    RecordType: Lowering._record,
    TupleType: Lowering._tuple,
    OptionType: Lowering._option,
    VariantType: Lowering._variant,
    ResultType: Lowering._result,
    EnumType: Lowering._enum,
    FlagsType: Lowering._flags,
}


def _case(
    cases: Sequence[tuple[str, ComponentType | None]], value: Any, pointer: str
) -> tuple[str, ComponentType | None]:
    """The case that a value is of: a bare tag, or an object with the one of a tag."""
    for tag, payload in cases:
        if payload is None and isinstance(value, str) and value == tag:
            return tag, None
    loaded = [(tag, payload) for tag, payload in cases if payload is not None]
    found = [case for case in loaded if isinstance(value, dict) and case[0] in value]
    if len(found) != 1:
        names = [f'"{t}"' if p is None else f'{{"{t}": …}}' for t, p in cases]
        refuse(pointer, f"must be one of {', '.join(names)}")
    return found[0]


def _empty_option(cell: Cell) -> None:
    cell.of.option = None
    cell.kind = KIND[OptionType]


def _new_cell() -> Any:
    """A cell on the heap; it belongs to the cell that points to it."""
    return ffi.wasmtime_component_val_new(ctypes.byref(ffi.wasmtime_component_val_t()))


def _new_vector(cell: Cell, kind: int, vector: Any, count: int) -> Any:
    """Memory for the parts of a list, tuple or record, which are false until something is put there."""
    create = {
        KIND[ListType]: ffi.wasmtime_component_vallist_new_uninit,
        KIND[TupleType]: ffi.wasmtime_component_valtuple_new_uninit,
        KIND[RecordType]: ffi.wasmtime_component_valrecord_new_uninit,
    }[kind]
    create(ctypes.byref(vector), count)
    if count:
        ctypes.memset(vector.data, 0, count * ctypes.sizeof(vector.data.contents))
    cell.kind = kind
    return vector.data


def _array(value: Any, pointer: str) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        refuse(pointer, f"must be an array, not {show(value)}")
    return value

"""The types of a component's exports, read from the engine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wasmtime import component as native

from converters.component_types import (
    ComponentType,
    EnumType,
    FlagsType,
    FunctionType,
    ListType,
    OptionType,
    Primitive,
    RecordType,
    ResultType,
    TupleType,
    VariantType,
)
from servient.errors import ModuleRejected

# Types are written out wherever they are used: a few bytes can name a type of millions of parts.
PARTS_LIMIT = 10_000
NESTING_LIMIT = 24

_PRIMITIVES: Mapping[type, Primitive] = {
    native.Bool: Primitive.BOOL,
    native.S8: Primitive.S8,
    native.S16: Primitive.S16,
    native.S32: Primitive.S32,
    native.S64: Primitive.S64,
    native.U8: Primitive.U8,
    native.U16: Primitive.U16,
    native.U32: Primitive.U32,
    native.U64: Primitive.U64,
    native.F32: Primitive.F32,
    native.F64: Primitive.F64,
    native.Char: Primitive.CHAR,
    native.String: Primitive.STRING,
}


class Inexpressible(Exception):
    """JSON has no word for values of a type: a resource, a stream, a future."""


@dataclass(slots=True)
class TypeReader:
    """Reads the types of one component, of which it may have so many."""

    parts: int = 0

    def read_function(self, function: native.FuncType) -> FunctionType | None:
        """None where JSON cannot carry a parameter or the result.

        Raises ModuleRejected when the types are too large or nested too deeply.
        """
        try:
            result = function.result
            return FunctionType(
                tuple((name, self._read(kind, 0)) for name, kind in function.params),
                None if result is None else self._read(result, 0),
            )
        except (Inexpressible, TypeError):  # a TypeError of a kind that the bindings do not know
            return None

    def _read(self, kind: native.ValType, depth: int) -> ComponentType:
        self.parts += 1
        if self.parts > PARTS_LIMIT or depth > NESTING_LIMIT:
            raise ModuleRejected("the types of the component's functions are too large")
        if primitive := _PRIMITIVES.get(type(kind)):
            return primitive
        if reader := _READERS.get(type(kind)):
            return reader(self, kind, depth + 1)
        raise Inexpressible

    def _optional(self, kind: native.ValType | None, depth: int) -> ComponentType | None:
        return None if kind is None else self._read(kind, depth)

    def _list(self, kind: native.ListType, depth: int) -> ComponentType:
        return ListType(self._read(kind.element, depth))

    def _record(self, kind: native.RecordType, depth: int) -> ComponentType:
        return RecordType(tuple((name, self._read(each, depth)) for name, each in kind.fields))

    def _tuple(self, kind: native.TupleType, depth: int) -> ComponentType:
        return TupleType(tuple(self._read(each, depth) for each in kind.elements))

    def _variant(self, kind: native.VariantType, depth: int) -> ComponentType:
        return VariantType(tuple((tag, self._optional(each, depth)) for tag, each in kind.cases))

    def _enum(self, kind: native.EnumType, _depth: int) -> ComponentType:
        return EnumType(self._names(kind.names))

    def _flags(self, kind: native.FlagsType, _depth: int) -> ComponentType:
        return FlagsType(self._names(kind.names))

    def _names(self, names: list[str]) -> tuple[str, ...]:
        self.parts += len(names)
        return tuple(names)

    def _option(self, kind: native.OptionType, depth: int) -> ComponentType:
        return OptionType(self._read(kind.payload, depth))

    def _result(self, kind: native.ResultType, depth: int) -> ComponentType:
        return ResultType(self._optional(kind.ok, depth), self._optional(kind.err, depth))


_READERS: Mapping[type, Callable[[TypeReader, Any, int], ComponentType]] = {
    native.ListType: TypeReader._list,
    native.RecordType: TypeReader._record,
    native.TupleType: TypeReader._tuple,
    native.VariantType: TypeReader._variant,
    native.EnumType: TypeReader._enum,
    native.FlagsType: TypeReader._flags,
    native.OptionType: TypeReader._option,
    native.ResultType: TypeReader._result,
}

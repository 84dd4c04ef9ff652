"""The types of the Component Model: what exported functions take and give."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Primitive(StrEnum):
    """Types without parts, by their names in WIT."""

    BOOL = "bool"
    S8 = "s8"
    S16 = "s16"
    S32 = "s32"
    S64 = "s64"
    U8 = "u8"
    U16 = "u16"
    U32 = "u32"
    U64 = "u64"
    F32 = "f32"
    F64 = "f64"
    CHAR = "char"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class ListType:
    element: "ComponentType"


@dataclass(frozen=True, slots=True)
class RecordType:
    fields: tuple[tuple[str, "ComponentType"], ...]


@dataclass(frozen=True, slots=True)
class TupleType:
    elements: tuple["ComponentType", ...]


@dataclass(frozen=True, slots=True)
class VariantType:
    """Cases by their tags, with the type of their payload or None."""

    cases: tuple[tuple[str, "ComponentType | None"], ...]


@dataclass(frozen=True, slots=True)
class EnumType:
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OptionType:
    payload: "ComponentType"


@dataclass(frozen=True, slots=True)
class ResultType:
    ok: "ComponentType | None"
    err: "ComponentType | None"


@dataclass(frozen=True, slots=True)
class FlagsType:
    names: tuple[str, ...]


ComponentType: TypeAlias = (
    Primitive
    | ListType
    | RecordType
    | TupleType
    | VariantType
    | EnumType
    | OptionType
    | ResultType
    | FlagsType
)

BYTES = ListType(Primitive.U8)


@dataclass(frozen=True, slots=True)
class FunctionType:
    """An exported function; `result` is None when it gives nothing."""

    parameters: tuple[tuple[str, ComponentType], ...]
    result: ComponentType | None


@dataclass(frozen=True, slots=True)
class IntegerType:
    """How wide an integer is, and whether it may be negative."""

    bits: int
    is_signed: bool

    @property
    def minimum(self) -> int:
        return -(1 << self.bits - 1) if self.is_signed else 0

    @property
    def maximum(self) -> int:
        return (1 << self.bits - self.is_signed) - 1


INTEGERS = {
    Primitive.S8: IntegerType(8, is_signed=True),
    Primitive.S16: IntegerType(16, is_signed=True),
    Primitive.S32: IntegerType(32, is_signed=True),
    Primitive.S64: IntegerType(64, is_signed=True),
    Primitive.U8: IntegerType(8, is_signed=False),
    Primitive.U16: IntegerType(16, is_signed=False),
    Primitive.U32: IntegerType(32, is_signed=False),
    Primitive.U64: IntegerType(64, is_signed=False),
}

# How the value of an option stands in JSON where null may be the value itself.
SOME = "some"


def cases_of(
    kind: VariantType | ResultType,
) -> tuple[tuple[str, ComponentType | None], ...]:
    """A result is a variant of the tags `ok` and `err`."""
    if isinstance(kind, ResultType):
        return (("ok", kind.ok), ("err", kind.err))
    return kind.cases

"""Hypothesis strategies: types of the Component Model, and values of a type as they stand in JSON."""

import base64
import struct
from typing import Any

from hypothesis import strategies as st

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
    cases_of,
)

NAMES = st.lists(
    st.from_regex(r"[a-z]{1,5}(-[a-z]{1,5})?", fullmatch=True), min_size=1, max_size=4, unique=True
).map(tuple)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def _named(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return NAMES.flatmap(
        lambda names: st.tuples(*[parts for _ in names]).map(
            lambda found: tuple(zip(names, found, strict=True))
        )
    )


def _containers(inner: st.SearchStrategy[ComponentType]) -> st.SearchStrategy[ComponentType]:
    return st.one_of(
        st.builds(ListType, inner),
        st.builds(OptionType, inner),
        st.builds(ResultType, st.none() | inner, st.none() | inner),
        st.builds(TupleType, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(RecordType, _named(inner)),
        st.builds(VariantType, _named(st.none() | inner)),
    )


TYPES: st.SearchStrategy[ComponentType] = st.recursive(
    st.sampled_from(Primitive) | st.builds(EnumType, NAMES) | st.builds(FlagsType, NAMES),
    _containers,
    max_leaves=6,
)


def values_of(kind: ComponentType) -> st.SearchStrategy[Any]:
    """What a value of a type may be in JSON, as a component gives it back."""
    match kind:
        case Primitive():
            return _primitives(kind)
        case ListType(element):
            if kind == BYTES:
                return st.binary(max_size=6).map(lambda body: base64.b64encode(body).decode())
            return st.lists(values_of(element), max_size=3)
        case TupleType(elements):
            return st.tuples(*map(values_of, elements)).map(list)
        case EnumType(names):
            return st.sampled_from(names)
        case FlagsType(names):
            return st.sets(st.sampled_from(names)).map(lambda s: [n for n in names if n in s])
        case OptionType(payload):
            some = values_of(payload)
            if isinstance(payload, OptionType):
                some = some.map(lambda value: {SOME: value})
            return st.none() | some
        case RecordType(fields):
            optional = {n: values_of(k.payload) for n, k in fields if isinstance(k, OptionType)}
            always = {n: values_of(k) for n, k in fields if not isinstance(k, OptionType)}
            return st.fixed_dictionaries(always, optional=optional)
        case VariantType() | ResultType():
            return st.one_of([_case(tag, payload) for tag, payload in cases_of(kind)])


def _case(tag: str, payload: ComponentType | None) -> st.SearchStrategy[Any]:
    return st.just(tag) if payload is None else st.fixed_dictionaries({tag: values_of(payload)})


def _primitives(kind: Primitive) -> st.SearchStrategy[Any]:
    if integer := INTEGERS.get(kind):
        return st.integers(integer.minimum, integer.maximum)
    match kind:
        case Primitive.BOOL:
            return st.booleans()
        case Primitive.F32:
            floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
            return floats.map(lambda n: struct.unpack("<f", struct.pack("<f", n))[0])
        case Primitive.F64:
            return st.floats(allow_nan=False, allow_infinity=False)
        case Primitive.CHAR:
            return st.characters(exclude_categories=["Cs"])
        case _:
            return TEXTS

"""Values of every type go into a component and come out as they were; what does not fit stays out."""

import contextlib
import ctypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import wasmtime
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wasmtime import component as native

from converters.component_types import (
    BYTES,
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
from servient.errors import ActionFailed, InvalidInput, TooLarge
from servient.wasm.components import lowering
from servient.wasm.components.cells import cells
from servient.wasm.components.component import Component
from servient.wasm.components.guest import ComponentGuest
from servient.wasm.components.lifting import lift
from servient.wasm.components.lowering import Lowering
from servient.wasm.engine import Engine
from servient.wasm.folder import Folder
from servient.wasm.watch import Watch
from tests.component_texts import PADDING, echo_component
from tests.component_values import TYPES, values_of
from tests.wasm.conftest import LIMITS

PERSON = RecordType((("name", Primitive.STRING), ("age", OptionType(Primitive.U8))))
SHAPE = VariantType((("none", None), ("circle", Primitive.F64), ("point", PERSON)))
DOUBLE = OptionType(OptionType(Primitive.U8))


def component_of(engine: Engine, kinds: Mapping[str, ComponentType]) -> Component:
    binary = bytes(wasmtime.wat2wasm(echo_component(kinds)))
    return Component(engine.native, native.Component(engine.native, binary), "", len(binary))


def echoed(engine: Engine, path: Path, kind: ComponentType, values: list[Any]) -> list[Any]:
    component = component_of(engine, {"echo": kind})
    guest = ComponentGuest(engine, component, Folder(path, LIMITS), LIMITS, Watch(engine.ticker))
    try:
        guest.start(5.0)
        returned = []
        for value in values:
            output, _ = guest.call("echo", {"value": value, "padding": PADDING}, 5.0)
            assert output[1] == PADDING
            returned.append(output[0])
        return returned
    finally:
        guest.close()


@pytest.fixture
def still() -> Engine:
    """An engine whose clock does not run: nothing here takes long."""
    return Engine(LIMITS)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_value_comes_back(data: st.DataObject, still: Engine, tmp_path: Path) -> None:
    kind = data.draw(TYPES)
    values = data.draw(st.lists(values_of(kind), min_size=1, max_size=4))
    boxed = [[value] for value in values]  # a parameter that is an option could only be left out
    assert echoed(still, tmp_path, TupleType((kind,)), boxed) == boxed


def test_types_are_read_as_they_are_written(still: Engine) -> None:
    kinds: dict[str, ComponentType] = {
        "person": PERSON,
        "shape": SHAPE,
        "double": DOUBLE,
        "color": EnumType(("red", "dark-blue")),
        "rights": FlagsType(("read", "write")),
        "outcome": ResultType(None, Primitive.STRING),
        "rows": ListType(TupleType((Primitive.CHAR, Primitive.S64))),
    }
    signatures = component_of(still, kinds).signatures
    padding = TupleType((Primitive.U8,) * 17)
    assert signatures == {
        name: FunctionType((("value", kind), ("padding", padding)), TupleType((kind, padding)))
        for name, kind in kinds.items()
    }


def lowered(kind: ComponentType, value: Any) -> Any:
    """In and out without a component between."""
    with cells(1) as cell:
        Lowering().parameters((("x", kind),), {"x": value}, cell)
        return lift(kind, cell[0])


@pytest.mark.parametrize(
    ("kind", "value", "pointer"),
    [
        (Primitive.BOOL, 1, "/x"),
        (Primitive.U8, 256, "/x"),
        (Primitive.U8, -1, "/x"),
        (Primitive.S8, 128, "/x"),
        (Primitive.U32, True, "/x"),
        (Primitive.U32, 1.5, "/x"),
        (Primitive.S64, 2**63, "/x"),
        (Primitive.U64, "7", "/x"),
        (Primitive.F32, 1e39, "/x"),
        (Primitive.F64, 10**400, "/x"),
        (Primitive.F64, None, "/x"),
        (Primitive.CHAR, "ab", "/x"),
        (Primitive.CHAR, "", "/x"),
        (Primitive.CHAR, "\ud800", "/x"),
        (Primitive.STRING, "\udfff", "/x"),
        (Primitive.STRING, b"bytes", "/x"),
        (BYTES, "not base64!", "/x"),
        (BYTES, [1, 2], "/x"),
        (ListType(Primitive.U16), [1, 2, -3], "/x/2"),
        (ListType(Primitive.U16), {"0": 1}, "/x"),
        (TupleType((Primitive.U8, Primitive.STRING)), [1], "/x"),
        (TupleType((Primitive.U8, Primitive.STRING)), [1, 2], "/x/1"),
        (PERSON, {"age": 3}, "/x"),
        (PERSON, {"name": "Ada", "age": None}, "/x/age"),
        (PERSON, {"name": ["Ada"]}, "/x/name"),
        (PERSON, "Ada", "/x"),
        (SHAPE, "circle", "/x"),
        (SHAPE, {"none": None}, "/x"),
        (SHAPE, {"circle": 1, "point": {"name": ""}}, "/x"),
        (SHAPE, {"point": {"name": 3}}, "/x/point/name"),
        (SHAPE, "square", "/x"),
        (EnumType(("red", "blue")), "green", "/x"),
        (EnumType(("red", "blue")), ["red"], "/x"),
        (FlagsType(("read", "write")), ["read", "run"], "/x/1"),
        (FlagsType(("read", "write")), [[]], "/x/0"),
        (FlagsType(("read", "write")), ["read", "read"], "/x"),
        (ListType(DOUBLE), [5], "/x/0"),
        (ResultType(None, Primitive.U8), "err", "/x"),
        (RecordType((("a/b~c", Primitive.U8),)), {"a/b~c": "1"}, "/x/a~1b~0c"),
    ],
    ids=repr,
)
def test_what_does_not_fit_is_pointed_at(kind: ComponentType, value: Any, pointer: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        lowered(kind, value)
    assert [fault["pointer"] for fault in refused.value.faults] == [pointer]


@pytest.mark.parametrize(
    ("kind", "value", "back"),
    [
        (Primitive.U8, 7.0, 7),
        (Primitive.F64, 7, 7.0),
        (BYTES, b"\0\xff", b"\0\xff"),
        (BYTES, "AP8=", b"\0\xff"),
        (ListType(BYTES), ["AP8="], ["AP8="]),
        (PERSON, {"name": "", "more": [1]}, {"name": ""}),
        (ListType(DOUBLE), [None, {"some": None}, {"some": 5}], None),
        (FlagsType(("read", "write")), ["write", "read"], ["read", "write"]),
        (ResultType(None, Primitive.U8), "ok", "ok"),
        (ResultType(Primitive.U8, None), {"ok": 1}, {"ok": 1}),
    ],
    ids=repr,
)
def test_what_json_says_otherwise_is_understood(kind: ComponentType, value: Any, back: Any) -> None:
    assert lowered(kind, value) == (value if back is None else back)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_json_is_taken_or_refused(data: st.DataObject) -> None:
    kind = data.draw(TYPES)
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    anything = st.recursive(
        scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
    )
    value = data.draw(anything | values_of(kind))
    with contextlib.suppress(InvalidInput):
        lowered(kind, value)


def test_so_many_values_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lowering, "VALUES_LIMIT", 100)
    lowered(BYTES, bytes(99))
    for kind, value in ((BYTES, bytes(100)), (ListType(Primitive.U8), bytes(100))):
        with pytest.raises(TooLarge):
            lowered(kind, value)
    with pytest.raises(TooLarge):
        lowered(ListType(Primitive.U16), [0] * 100)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_without_a_word_in_json_fail_the_call(number: float) -> None:
    with cells(1) as cell:
        Lowering().parameters((("x", Primitive.F64),), {"x": 0}, cell)
        cell[0].of.f64 = ctypes.c_double(number)
        with pytest.raises(ActionFailed):
            lift(Primitive.F64, cell[0])

"""Types of the Component Model as data schemas: every value fits, and what does not is refused."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from converters.component import component_schema
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
from converters.deployment import Parameter
from converters.manifest import parse_manifest
from converters.plan import FunctionPlan, plan_functions
from converters.thing import describe
from tests.component_values import TYPES, values_of
from tests.converters.test_plan import endpoint
from tests.manifests import load_manifest
from thing_descriptions.validator import lint_td, validate_td

STRING = {"type": "string"}
U8 = {"type": "integer", "minimum": 0, "maximum": 255}
PERSON = RecordType((("first-name", Primitive.STRING), ("age", OptionType(Primitive.U8))))


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        (Primitive.BOOL, {"type": "boolean"}),
        (Primitive.S8, {"type": "integer", "minimum": -128, "maximum": 127}),
        (Primitive.U64, {"type": "integer", "minimum": 0, "maximum": 2**64 - 1}),
        (Primitive.S64, {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}),
        (Primitive.F32, {"type": "number"}),
        (Primitive.CHAR, {"type": "string", "minLength": 1, "maxLength": 1}),
        (
            ListType(Primitive.U8),
            {
                "type": "string",
                "contentEncoding": "base64",
                "contentMediaType": "application/octet-stream",
            },
        ),
        (ListType(Primitive.STRING), {"type": "array", "items": STRING}),
        (
            PERSON,
            {
                "type": "object",
                "properties": {"first-name": STRING, "age": U8},
                "required": ["first-name"],
            },
        ),
        (OptionType(Primitive.U8), {"oneOf": [U8, {"type": "null"}]}),
        (EnumType(("red", "dark-blue")), {"type": "string", "enum": ["red", "dark-blue"]}),
        (
            FlagsType(("read", "write")),
            {
                "type": "array",
                "items": {"type": "string", "enum": ["read", "write"]},
                "uniqueItems": True,
                "maxItems": 2,
            },
        ),
        (
            TupleType((Primitive.U8, Primitive.U8)),
            {"type": "array", "minItems": 2, "maxItems": 2, "items": U8},
        ),
        (
            TupleType((Primitive.STRING, ListType(Primitive.U32))),
            {
                "type": "array",
                "minItems": 2,
                "maxItems": 2,
                "description": "In this order: string, list<u32>.",
            },
        ),
        (
            VariantType((("none", None), ("some", Primitive.U8), ("all", None))),
            {
                "oneOf": [
                    {"type": "string", "enum": ["none", "all"]},
                    {"type": "object", "properties": {"some": U8}, "required": ["some"]},
                ]
            },
        ),
    ],
    ids=str,
)
def test_each_type_has_its_schema(kind: ComponentType, schema: dict[str, Any]) -> None:
    assert component_schema(kind) == schema


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_every_value_fits_the_schema_of_its_type(data: st.DataObject) -> None:
    kind = data.draw(TYPES)
    schema = component_schema(kind)
    Draft7Validator.check_schema(schema)
    assert list(Draft7Validator(schema).iter_errors(data.draw(values_of(kind)))) == []


def plan_of(function: FunctionType, **declared: Any) -> FunctionPlan:
    (module,) = parse_manifest(load_manifest("old-fibo") | {"instructions": None}).modules
    endpoints = {"run": endpoint(**declared)} if declared else {}
    (plan,) = plan_functions(module, endpoints=endpoints, signatures={"run": function})
    return plan


def test_parameters_keep_their_names_and_options_may_be_left_out() -> None:
    plan = plan_of(FunctionType((("who", PERSON), ("how-loud", OptionType(Primitive.U8))), None))
    assert plan.parameters == ("who", "how-loud")
    assert [parameter.required for parameter in plan.inputs] == [True, False]
    assert plan.inputs[1].schema == U8
    assert plan.result_schema is None


def test_a_result_is_what_it_is_when_all_went_well() -> None:
    plan = plan_of(FunctionType((), ResultType(Primitive.U8, Primitive.STRING)))
    assert (plan.result_schema, plan.result_media_type) == (U8, "application/json")
    assert plan_of(FunctionType((), ResultType(None, Primitive.STRING))).result_schema is None


def test_bytes_are_a_file_of_the_media_type_that_is_declared() -> None:
    function = FunctionType((("image", BYTES),), BYTES)
    plan = plan_of(function)
    assert plan.is_file_result
    assert plan.inputs[0].schema["contentEncoding"] == "base64"
    assert plan_of(function, response_media_type="image/png").result_media_type == "image/png"


def test_what_is_declared_elsewhere_adds_words_and_changes_no_type() -> None:
    parameters = (Parameter("count", {"type": "string"}, description="How many"),)
    plan = plan_of(
        FunctionType((("count", Primitive.U8),), Primitive.U8),
        parameters=parameters,
        description="Counts.",
        response_media_type="application/json",
        response_schema={"type": "string"},
    )
    assert (plan.description, plan.inputs[0].description) == ("Counts.", "How many")
    assert (plan.inputs[0].schema, plan.result_schema) == (U8, U8)


def test_what_a_toolchain_leaves_behind_is_not_offered() -> None:
    names = ("shim", "script", "entry-path", "disable-gc")
    left = FunctionType(tuple((name, Primitive.STRING) for name in names), None)
    (module,) = parse_manifest(load_manifest("old-fibo") | {"instructions": None}).modules
    signatures = {"init": left, "alloc": FunctionType((), None)}
    plans = plan_functions(module, endpoints={}, signatures=signatures)
    assert [plan.function for plan in plans] == ["alloc"]


@settings(max_examples=60, deadline=None)
@given(TYPES, TYPES)
def test_the_thing_of_any_function_is_a_good_thing(
    parameter: ComponentType, result: ComponentType
) -> None:
    plan = plan_of(FunctionType((("value", parameter),), result))
    (module,) = parse_manifest(load_manifest("old-fibo")).modules
    document = describe("0", module, [plan], servient_id="s")
    assert validate_td(document, partial=True) == []
    assert lint_td(document) == []

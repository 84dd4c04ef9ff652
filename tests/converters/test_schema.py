"""OpenAPI's schemas and WebAssembly's types become data schemas."""

from typing import Any

import pytest
from jsonschema import Draft7Validator

from converters.errors import ConversionError
from converters.reading import Node
from converters.schema import as_value, parse_schema, refine, wasm_results_schema, wasm_schema

BASE64 = {"type": "string", "contentEncoding": "base64"}
I32 = {"type": "integer", "minimum": -2147483648, "maximum": 2147483647}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (None, {}),
        (True, {}),
        ({}, {}),
        ({"type": None}, {}),
        ({"type": "float"}, {"type": "number"}),
        ({"type": "number", "format": "double"}, {"type": "number"}),
        ({"type": "int64"}, {"type": "integer", "format": "int64"}),
        ({"type": "integer", "format": "int64"}, {"type": "integer", "format": "int64"}),
        ({"format": "int32"}, {"type": "integer", "format": "int32"}),
        ({"type": "Boolean"}, {"type": "boolean"}),
        ({"type": "who knows", "x-y": 1, "pattern": "(a+)+$"}, {}),
        ({"type": "string", "format": "binary"}, BASE64),
        ({"type": "string", "format": "made-up"}, {"type": "string"}),
        ({"type": "file"}, BASE64),
        ({"type": "string", "contentMediaType": "image/png"},
         {"type": "string", "contentMediaType": "image/png"}),
        ({"type": ["integer", "null"]}, {"oneOf": [{"type": "integer"}, {"type": "null"}]}),
        ({"type": "integer", "nullable": True}, {"oneOf": [{"type": "integer"}, {"type": "null"}]}),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True},
         {"type": "integer", "exclusiveMinimum": 1}),
        ({"type": "integer", "minimum": "1", "maximum": None, "multipleOf": 0}, {"type": "integer"}),
        ({"type": "string", "minLength": -1, "maxLength": 5}, {"type": "string", "maxLength": 5}),
        ({"enum": [1, 1.0, 2]}, {"enum": [1, 2]}),
        ({"enum": []}, {}),
        ({"type": "array", "items": {"type": "i32"}},
         {"type": "array", "items": {"type": "integer", "format": "int32"}}),
        ({"type": "array", "items": [{"type": "number"}, {"type": "number"}]},
         {"type": "array", "items": {"type": "number"}}),
        ({"properties": {"a": {"type": "string"}}, "required": ["a", "b", {}]},
         {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]},
         {"oneOf": [{"type": "integer"}, {"type": "string"}]}),
        ({"anyOf": [{"type": "integer"}, {"type": "number"}]}, {"type": "number"}),
    ],
)  # fmt: skip
def test_a_schema_says_what_was_meant(written: Any, meant: dict[str, Any]) -> None:
    schema = parse_schema(Node(written))
    assert schema == meant
    Draft7Validator.check_schema(schema)


@pytest.mark.parametrize("written", ["integer", 5, [], {"type": 5}, {"properties": []}])
def test_what_is_no_schema_is_refused(written: Any) -> None:
    with pytest.raises(ConversionError):
        parse_schema(Node(written))


def test_an_unknown_value_is_any_value() -> None:
    validator = Draft7Validator(as_value({}))
    for value in (None, True, 1, 1.5, "x", [1], {"a": 1}):
        assert validator.is_valid(value)


def test_wasm_types() -> None:
    assert wasm_schema("i32") == I32
    assert wasm_schema("i64") == {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}
    assert wasm_schema("f32") == wasm_schema("f64") == {"type": "number"}
    assert wasm_schema("externref") is None
    assert wasm_results_schema(()) is None
    assert wasm_results_schema(("i32",)) == I32
    two = {"type": "array", "minItems": 2, "maxItems": 2}
    assert wasm_results_schema(("i32", "i32")) == {**two, "items": I32}
    assert wasm_results_schema(("i32", "f64")) == {**two, "items": {"type": "number"}}


@pytest.mark.parametrize(
    ("declared", "value_type", "is_result", "refined"),
    [
        ({"type": "integer", "maximum": 9}, "i32", False, {**I32, "maximum": 9}),
        ({"type": "integer"}, "f64", False, {"type": "integer"}),
        ({"type": "integer", "title": "t"}, "f64", True, {"type": "number", "title": "t"}),
        ({"type": "number"}, "i32", False, I32),
        ({"type": "string"}, "i32", True, I32),
        ({}, "i32", False, I32),
        ({"enum": [1, 2]}, "i32", False, {"enum": [1, 2]}),
        ({"type": "boolean"}, "i32", True, {"type": "boolean"}),
        ({"type": "string"}, "externref", False, {"type": "string"}),
    ],
)
def test_the_wasm_type_is_a_fact(
    declared: dict[str, Any], value_type: str, is_result: bool, refined: dict[str, Any]
) -> None:
    assert refine(declared, value_type, is_result=is_result) == refined

"""OpenAPI's schemas become data schemas, and what these cannot say is reported."""

from typing import Any

import pytest

from converters.losses import Losses
from converters.openapi.documents import Documents
from converters.reading import Node
from converters.schema_builder import Dialect, Direction, SchemaBuilder

STRING, INTEGER, NULL = {"type": "string"}, {"type": "integer"}, {"type": "null"}
CAT = {"type": "object", "required": ["kind"],
       "properties": {"kind": {"type": "string", "enum": ["cat"]}}}  # fmt: skip
DOG = {"type": "object", "required": ["kind"],
       "properties": {"kind": {"type": "string", "enum": ["dog"]}}}  # fmt: skip


def build(
    schema: Any, definitions: Any = None, direction: Direction = Direction.OUTPUT, **dialect: Any
) -> tuple[dict[str, Any], list[str]]:
    documents = Documents({"s": schema, "d": definitions or {}})
    losses = Losses()
    builder = SchemaBuilder(documents, losses, Dialect(**dialect))
    return builder.build(Node(schema, "/s"), direction), [loss.pointer for loss in losses]


@pytest.mark.parametrize(
    ("schema", "meant", "reported"),
    [
        ({"type": "string", "nullable": True}, {"oneOf": [STRING, NULL]}, []),
        ({"type": ["string", "null"], "maxLength": 2},
         {"oneOf": [{"type": "string", "maxLength": 2}, NULL]}, []),
        ({"type": ["string", "integer"], "minLength": 1, "minimum": 2},
         {"oneOf": [{"type": "string", "minLength": 1}, {"type": "integer", "minimum": 2}]}, []),
        ({"type": ["integer", "number"]}, {"oneOf": [{"type": "number"}]}, []),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True},
         {"type": "integer", "exclusiveMinimum": 1}, []),
        ({"type": "integer", "exclusiveMaximum": 5}, {"type": "integer", "exclusiveMaximum": 5}, []),
        ({"type": "string", "format": "byte"}, {"type": "string", "contentEncoding": "base64"}, []),
        ({"type": "string", "format": "binary"},
         {"type": "string", "contentMediaType": "application/octet-stream"}, []),
        ({"type": "string", "format": "phone"}, STRING, ["/s/format"]),
        ({"type": "string", "pattern": "^[a-z]+$"}, {"type": "string", "pattern": "^[a-z]+$"}, []),
        ({"type": "string", "pattern": r"\p{L}"}, STRING, ["/s/pattern"]),
        ({"type": "string", "pattern": "(a+)+$"}, STRING, ["/s/pattern"]),
        ({"type": "string", "pattern": "[\\w-.]"}, STRING, ["/s/pattern"]),
        ({"type": "string", "pattern": "a\\-b"}, STRING, ["/s/pattern"]),
        ({"type": "array", "items": STRING, "uniqueItems": True},
         {"type": "array", "items": STRING}, ["/s/uniqueItems"]),
        ({"type": "object", "additionalProperties": STRING}, {"type": "object"},
         ["/s/additionalProperties"]),
        ({"allOf": [{"properties": {"a": STRING}, "required": ["a"]},
                    {"properties": {"b": INTEGER}, "required": ["b"]}]},
         {"type": "object", "properties": {"a": STRING, "b": INTEGER}, "required": ["a", "b"]}, []),
        ({"allOf": [{"type": "integer", "minimum": 1}, {"minimum": 3, "maximum": 9}]},
         {"type": "integer", "minimum": 3, "maximum": 9}, []),
        ({"allOf": [STRING, INTEGER]}, STRING, ["/s/allOf/1"]),
        ({"anyOf": [STRING, INTEGER]}, {"oneOf": [STRING, INTEGER]}, []),
        ({"anyOf": [CAT, DOG]}, {"oneOf": [CAT, DOG]}, []),
        ({"anyOf": [{"type": "object", "properties": {"a": STRING}},
                    {"type": "object", "properties": {"b": STRING}}]},
         {"type": "object"}, ["/s/anyOf"]),
        ({"oneOf": [{"type": "string", "not": {"const": "x"}}, STRING]}, STRING,
         ["/s/oneOf/0/not"]),
        ({"type": "string", "enum": ["a", None]}, {"type": "string", "enum": ["a"]}, []),
        ({"enum": ["a", None]}, {"oneOf": [{"enum": ["a"]}, NULL]}, []),
        ({"type": "boolean", "enum": ["true"]}, {"type": "boolean"}, ["/s/enum"]),
        ({"type": "array", "default": []}, {"type": "array"}, ["/s/default"]),
        ({"type": "string", "deprecated": True, "example": "x"},
         {"type": "string", "wasm:deprecated": True, "wasm:example": "x"}, []),
        ({"type": "string", "xml": {"name": "x"}, "x-y": 1}, STRING, ["/s/xml", "/s/x-y"]),
        ({"$ref": "#/d/none"}, {}, ["/s"]),
        ({"$ref": "other.json#/a"}, {}, ["/s"]),
        ("text", {}, ["/s"]),
        ({"type": "object", "properties": []}, {"type": "object"}, ["/s/properties"]),
    ],
)  # fmt: skip
def test_what_a_schema_means(schema: Any, meant: Any, reported: list[str]) -> None:
    assert build(schema) == (meant, reported)


def test_a_cycle_is_cut_and_reported() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/d/Node"}}}
    schema, reported = build({"$ref": "#/d/Node"}, {"Node": node})
    assert schema == {"type": "object", "properties": {"next": {"type": "object"}}}
    assert reported == ["/d/Node/properties/next"]


def test_cycles_without_any_end_are_cut() -> None:
    for definitions in (
        {"A": {"$ref": "#/d/B"}, "B": {"$ref": "#/d/A"}},
        {"A": {"allOf": [{"$ref": "#/d/A"}, STRING]}},
        {"A": {"oneOf": [{"$ref": "#/d/A"}]}},
    ):
        _, reported = build({"$ref": "#/d/A"}, definitions)
        assert reported


def test_too_large_a_schema_is_built_less_deeply() -> None:
    def wide(inner: Any) -> dict[str, Any]:
        return {"type": "object", "properties": {f"p{i}": inner for i in range(10)}}

    schema, reported = build(wide(wide(wide(STRING))), nodes_limit=200)
    assert schema["properties"]["p0"]["properties"]["p0"] == {"type": "object"}
    assert len(reported) == 100


def test_what_is_read_only_is_not_asked_for() -> None:
    schema = {"properties": {"id": {**STRING, "readOnly": True}}, "required": ["id"]}
    assert build(schema)[0]["required"] == ["id"]
    assert "required" not in build(schema, direction=Direction.INPUT)[0]


def test_what_stands_beside_a_reference() -> None:
    schema = {"$ref": "#/d/A", "description": "mine"}
    assert build(schema, {"A": STRING})[0] == {**STRING, "description": "mine"}
    assert build(schema, {"A": STRING}, are_siblings_read=False) == (STRING, ["/s/description"])

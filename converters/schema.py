"""Data schemas of TD 1.1: of OpenAPI's schemas in a module's description, of WebAssembly's types."""

from collections.abc import Mapping, Sequence
from typing import Any

from converters.errors import ConversionError
from converters.losses import Strict
from converters.media_types import OCTET_STREAM
from converters.reading import Node
from converters.schema_builder import NESTING_LIMIT, Dialect, SchemaBuilder, as_value
from converters.schema_keywords import Schema, distinct
from converters.schema_words import PROSE_LIMIT_CHARS

__all__ = ["PROSE_LIMIT_CHARS", "Schema", "as_value", "file_schema", "parse_schema", "refine"]

MEMBERS_LIMIT = 128

# Without `pattern`: it would let whoever writes a manifest choose a regular expression that takes for
# ever. Files stand in JSON, which is what modules are called with.
_DIALECT = Dialect(
    keeps_patterns=False,
    is_binary_base64=True,
    members_limit=MEMBERS_LIMIT,
    depths=(NESTING_LIMIT,),
    nodes_limit=100_000,
)

_WASM_TYPES: Mapping[str, Schema] = {
    "i32": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    "i64": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    "f32": {"type": "number"},
    "f64": {"type": "number"},
}


class _Unreferring:
    """Of a document whose references are resolved already."""

    def target(self, node: Node) -> Node:
        raise ConversionError(node.pointer, "refers to what is not here")


def parse_schema(node: Node) -> Schema:
    """The data schema that says what an OpenAPI schema says; {} when that is nothing.

    Members that TD 1.1 does not have, and constraints that are malformed, are left out. Raises
    ConversionError where a schema or type is not one at all, or is nested too deeply.
    """
    return SchemaBuilder(_Unreferring(), Strict(), _DIALECT).build(node)


def file_schema(media_type: str) -> Schema:
    """A file inside JSON."""
    return {
        "type": "string",
        "contentEncoding": "base64",
        "contentMediaType": media_type or OCTET_STREAM,
    }


def wasm_schema(value_type: str) -> Schema | None:
    """A WebAssembly value in JSON; None for what JSON cannot carry (v128, references)."""
    schema = _WASM_TYPES.get(value_type)
    return dict(schema) if schema else None


def wasm_results_schema(value_types: Sequence[str]) -> Schema | None:
    """What a function returns: nothing (None), a value, or an array of values."""
    schemas = distinct([as_value(wasm_schema(value_type) or {}) for value_type in value_types])
    if len(value_types) <= 1:
        return schemas[0] if schemas else None
    # One schema for all: W3C's assertion report fails the array form of `items`, which TD 1.1 has.
    items = schemas[0] if len(schemas) == 1 else {"type": "number"}
    count = len(value_types)
    return {"type": "array", "items": items, "minItems": count, "maxItems": count}


def refine(schema: Mapping[str, Any], value_type: str, *, is_result: bool = False) -> Schema:
    """A declared schema, made to agree with the WebAssembly type of its value, which is a fact.

    A boolean stays one: whoever calls the function turns it into 0 or 1 and back.
    """
    wasm = wasm_schema(value_type)
    if wasm is None:
        return dict(schema)
    match schema.get("type"), wasm["type"]:
        case ("boolean", _) | ("number", "number"):
            return dict(schema)
        case "integer", "integer":
            return wasm | dict(schema)
        case "integer", "number" if not is_result:
            return dict(schema)
        case None, _ if schema.keys() & {"enum", "const"}:
            return dict(schema)
    return wasm | {name: schema[name] for name in ("title", "description") if name in schema}

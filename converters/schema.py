"""Turns OpenAPI's schemas and WebAssembly's types into data schemas of TD 1.1."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from converters.media_types import OCTET_STREAM, read_media_type
from converters.reading import Node, show

Schema: TypeAlias = dict[str, Any]

NESTING_LIMIT = 12
MEMBERS_LIMIT = 128
NAME_LIMIT_CHARS = 128
PROSE_LIMIT_CHARS = 2000

# What people write as a type: OpenAPI's types, its formats, and the types of programming languages.
_TYPES: Mapping[str, Schema] = {
    "boolean": {"type": "boolean"},
    "bool": {"type": "boolean"},
    "integer": {"type": "integer"},
    "int": {"type": "integer"},
    "long": {"type": "integer", "format": "int64"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "i32": {"type": "integer", "format": "int32"},
    "i64": {"type": "integer", "format": "int64"},
    "number": {"type": "number"},
    "float": {"type": "number"},
    "double": {"type": "number"},
    "f32": {"type": "number"},
    "f64": {"type": "number"},
    "string": {"type": "string"},
    "binary": {"type": "string", "contentEncoding": "base64"},
    "byte": {"type": "string", "contentEncoding": "base64"},
    "file": {"type": "string", "contentEncoding": "base64"},
    "object": {"type": "object"},
    "array": {"type": "array"},
    "null": {"type": "null"},
}

# Formats that consumers' validators know: they refuse to compile a schema with any other.
_FORMATS = frozenset(
    {
        "date",
        "date-time",
        "duration",
        "email",
        "hostname",
        "int32",
        "int64",
        "ipv4",
        "ipv6",
        "iri",
        "iri-reference",
        "json-pointer",
        "relative-json-pointer",
        "time",
        "uri",
        "uri-reference",
        "uri-template",
        "uuid",
    }
)

_BINARY_FORMATS = frozenset({"binary", "byte", "base64"})

_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems")
# Not `pattern`: it would let whoever writes a manifest choose a regular expression that takes for ever.

_WASM_TYPES: Mapping[str, Schema] = {
    "i32": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    "i64": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    "f32": {"type": "number"},
    "f64": {"type": "number"},
}

_JSON_TYPES = ("boolean", "number", "string", "object", "array", "null")


def parse_schema(node: Node, depth: int = 0) -> Schema:
    """The data schema that says what an OpenAPI schema says; {} when that is nothing.

    Members that TD 1.1 does not have, and constraints that are malformed, are left out. Raises
    ConversionError where a schema or type is not one at all, or is nested too deeply.
    """
    if node.is_null or isinstance(node.value, bool):
        return {}
    if depth > NESTING_LIMIT:
        raise node.fail(f"schema nested deeper than {NESTING_LIMIT} levels")
    if not node.is_object:
        raise node.fail("expected a schema")
    schema = _annotations(node) | _typed(node) | _constraints(node)
    if schema.get("type") == "object" or "properties" in node.value:
        schema |= _members(node, depth)
    if schema.get("type") == "array" or "items" in node.value:
        schema |= _items(node, depth)
    if options := _options(node, depth):
        schema["oneOf"] = options
    return _nullable(schema) if node.value.get("nullable") is True else schema


def as_value(schema: Mapping[str, Any]) -> Schema:
    """The schema of something that a consumer reads: where nothing is known, any JSON value."""
    if schema.keys() & {"type", "enum", "const", "oneOf"}:
        return dict(schema)
    return {**schema, "oneOf": [{"type": name} for name in _JSON_TYPES]}


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
    schemas = _distinct([as_value(wasm_schema(value_type) or {}) for value_type in value_types])
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


def _annotations(node: Node) -> Schema:
    texts = {name: node.member(name).prose(PROSE_LIMIT_CHARS) for name in ("title", "description")}
    found = {name: text for name, text in texts.items() if text}
    if node.value.get("default") is not None:
        found["default"] = node.value["default"]
    return found


def _typed(node: Node) -> Schema:
    """The type, with what its format says about it."""
    declared, data_format = node.member("type"), node.value.get("format")
    if isinstance(declared.value, list):
        return _type_of_several(declared)
    if not isinstance(declared.value, str | None):
        raise declared.fail(f"expected a type, found {show(declared.value)}")
    if not isinstance(data_format, str):
        data_format = None
    # A text that is no type says nothing; whoever calls may know more from the module itself.
    schema = dict(_TYPES.get((declared.value or data_format or "").lower(), {}))
    if schema.get("type") == "string":
        if data_format in _BINARY_FORMATS or node.value.get("contentEncoding") == "base64":
            schema["contentEncoding"] = "base64"
        if media_type := read_media_type(node.member("contentMediaType")):
            schema["contentMediaType"] = media_type
    if schema and data_format in _FORMATS:
        schema["format"] = data_format
    return schema


def _type_of_several(declared: Node) -> Schema:
    """OpenAPI 3.1's list of types."""
    names = [element.text(NAME_LIMIT_CHARS) for element in declared.elements(MEMBERS_LIMIT)]
    options = _distinct([dict(_TYPES[name]) for name in names if name in _TYPES])
    return options[0] if len(options) == 1 else {"oneOf": options} if options else {}


def _constraints(node: Node) -> Schema:
    source = node.value
    found: Schema = {name: source[name] for name in _NUMBERS if _is_number(source.get(name))}
    found |= {name: source[name] for name in _COUNTS if _is_count(source.get(name))}
    for name, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        # OpenAPI 3.0 says whether the bound is exclusive, 3.1 gives an exclusive bound.
        if source.get(name) is True and bound in found:
            found[name] = found.pop(bound)
    if _is_number(source.get("multipleOf")) and source["multipleOf"] > 0:
        found["multipleOf"] = source["multipleOf"]
    if isinstance(source.get("enum"), list) and 0 < len(source["enum"]) <= MEMBERS_LIMIT:
        found |= {} if any(map(_is_nested, source["enum"])) else {"enum": _distinct(source["enum"])}
    if source.get("const") is not None:
        found["const"] = source["const"]
    return found


def _members(node: Node, depth: int) -> Schema:
    properties = {
        name: as_value(parse_schema(member, depth + 1))
        for name, member in node.member("properties").members(MEMBERS_LIMIT)
    }
    found: Schema = {"type": "object"}
    if properties:
        found["properties"] = properties
    required = node.value.get("required")
    if isinstance(required, list):
        names = [name for name in properties if name in required]
        found |= {"required": names} if names else {}
    return found


def _items(node: Node, depth: int) -> Schema:
    items = node.member("items")
    if not isinstance(items.value, list):
        item = parse_schema(items, depth + 1)
        return {"type": "array"} | ({"items": as_value(item)} if item else {})
    # That each place has a schema of its own is lost, for the reason in wasm_results_schema.
    several = _distinct([parse_schema(i, depth + 1) for i in items.elements(MEMBERS_LIMIT)])
    return {"type": "array"} | ({"items": as_value(several[0])} if len(several) == 1 else {})


def _options(node: Node, depth: int) -> list[Schema]:
    """The alternatives of oneOf, or of anyOf where no value can match two of them."""
    for name in ("oneOf", "anyOf"):
        alternatives = node.member(name)
        if not isinstance(alternatives.value, list):
            continue
        options = _distinct(
            [as_value(parse_schema(o, depth + 1)) for o in alternatives.elements(MEMBERS_LIMIT)]
        )
        if name == "oneOf" or _are_disjoint(options):
            return options
    return []


def _are_disjoint(options: Sequence[Schema]) -> bool:
    types = ["number" if o.get("type") == "integer" else o.get("type") for o in options]
    return None not in types and len(set(types)) == len(types)


def _nullable(schema: Schema) -> Schema:
    return {"oneOf": [schema, {"type": "null"}]} if "type" in schema else schema


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_nested(value: object) -> bool:
    return isinstance(value, dict | list)


def _distinct(values: Sequence[Any]) -> list[Any]:
    """The values, each once: JSON knows no difference between 1 and 1.0."""
    seen: dict[str, Any] = {}
    for value in values:
        whole = isinstance(value, float) and value.is_integer()
        seen.setdefault(json.dumps(int(value) if whole else value, sort_keys=True), value)
    return list(seen.values())

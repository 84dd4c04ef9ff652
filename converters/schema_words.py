"""What one schema says besides its parts: words about it, types, formats, values, and all the rest."""

from collections.abc import Collection, Iterator
from typing import Any

from converters.errors import ConversionError
from converters.losses import UNKNOWN, VENDOR, Report
from converters.media_types import OCTET_STREAM, read_media_type
from converters.reading import Node, show
from converters.schema_keywords import (
    BINARY_FORMATS,
    FORMATS,
    OF_TYPE,
    TYPES,
    Schema,
    enumerated,
    is_scalar,
)
from thing_descriptions.vocabulary import DEPRECATED, DISCRIMINATOR, EXAMPLE, EXTERNAL_DOCS

PROSE_LIMIT_CHARS = 2000

NO_WORD = "TD 1.1 has no word for it, so its data schema allows more"

_NOT_IN_TD = "null and what is empty have no place in a TD"
_ODD_PATTERN = "it is no expression that validators of all languages take, or a dangerous one"
_ODD_BOUND = "it is malformed, or for values of another type"

_CONSTRAINTS = frozenset().union(*OF_TYPE.values())
_HANDLED = frozenset(
    {
        *("type", "format", "title", "description", "default", "nullable", "enum", "const"),
        *("properties", "required", "items", "allOf", "oneOf", "anyOf", "readOnly", "writeOnly"),
        *("contentEncoding", "contentMediaType", "deprecated", "example", "examples", "$ref"),
        *("discriminator", "externalDocs", "additionalProperties", "x-nullable"),
        *_CONSTRAINTS,
    }
)
# Where other schemas may be kept, and what tells people or tools about the schema.
_SILENT = frozenset({"$schema", "$comment", "$defs", "definitions", "$id", "id", "$anchor"})
# What says something about values, beyond what a data schema can say.
_WIDENING = frozenset(
    {
        *("not", "if", "then", "else", "patternProperties", "minProperties", "maxProperties"),
        *("uniqueItems", "additionalItems", "prefixItems", "contains", "minContains"),
        *("maxContains", "propertyNames", "dependencies", "dependentRequired"),
        *("dependentSchemas", "unevaluatedProperties", "unevaluatedItems", "$dynamicRef"),
        *("contentSchema", "$recursiveRef"),
    }
)


def annotations(node: Node, report: Report) -> Schema:
    """Words about a value: its title, whether it is deprecated, an example."""
    found: Schema = {}
    for name in ("title", "description"):
        if text := node.member(name).prose(PROSE_LIMIT_CHARS):
            found[name] = text
    for name, term in (("readOnly",) * 2, ("writeOnly",) * 2, ("deprecated", DEPRECATED)):
        if node.value.get(name) is True:
            found[term] = True
    if "default" in node.value:
        found |= _kept(node, "default", report)
    if is_scalar(example := node.value.get("example")):
        found[EXAMPLE] = example
    elif "example" in node.value:
        _drop(report, node, "example", "only examples of plain values are kept")
    if "examples" in node.value:
        _drop(report, node, "examples", "only `example` is kept")
    return found | _discriminator(node, report) | _documents(node, report)


def _kept(node: Node, name: str, report: Report) -> Schema:
    value = node.value[name]
    if is_scalar(value) or (value and not has_empties(value)):
        return {name: value}
    _drop(report, node, name, _NOT_IN_TD)
    return {}


def _discriminator(node: Node, report: Report) -> Schema:
    said = node.value.get("discriminator")
    if isinstance(said, dict):
        if "mapping" in said:
            why = "the schemas that it names have no names in a TD"
            report.drop(node.member("discriminator", "mapping"), "mapping", why)
        said = said.get("propertyName")
    if isinstance(said, str):
        return {DISCRIMINATOR: said}
    if "discriminator" in node.value:
        _drop(report, node, "discriminator", "it names no property")
    return {}


def _documents(node: Node, report: Report) -> Schema:
    url = node.value.get("externalDocs")
    if isinstance(url, dict) and isinstance(url.get("url"), str):
        return {EXTERNAL_DOCS: url["url"]}
    if url is not None:
        _drop(report, node, "externalDocs", "it has no URL")
    return {}


def kinds(node: Node, report: Report) -> tuple[list[str], bool]:
    """The types as they are spelled, and whether null is one more."""
    is_nullable = node.value.get("nullable") is True or node.value.get("x-nullable") is True
    names = list(_spelled(node.member("type"), report))
    known = list(dict.fromkeys(name for name in names if name in TYPES))
    for name in names:
        if name not in TYPES:
            report.drop(node.member("type"), name, "this is no type")
    if not names:
        known = _inferred(node, report)
        enum = node.value.get("enum")
        is_nullable = is_nullable or (isinstance(enum, list) and None in enum)
    if len(known) > 1 and "null" in known:
        known.remove("null")
        is_nullable = True
    return known, is_nullable


def _spelled(declared: Node, report: Report) -> Iterator[str]:
    values = declared.value if isinstance(declared.value, list) else [declared.value]
    for value in values[: len(TYPES)]:
        if isinstance(value, str):
            yield value.lower()
        elif value is not None:
            report.fault(declared, f"expected a type, found {show(value)}")


def _inferred(node: Node, report: Report) -> list[str]:
    if "properties" in node.value:
        return ["object"]
    if "items" in node.value:
        return ["array"]
    data_format = node.value.get("format")
    if isinstance(data_format, str) and data_format.lower() in TYPES:
        return [data_format.lower()]
    if data_format is not None:
        _drop(report, node, "format", "without a type it says nothing")
    return []


def formatted(node: Node, schema: Schema, report: Report, *, is_base64: bool) -> Schema:
    """What a format says about a value of the type that `schema` has; a format becomes bytes, too."""
    declared = node.value.get("format")
    data_format = declared if isinstance(declared, str) else schema.get("format")
    found: Schema = {}
    if schema.get("type") == "string":
        found |= _encoded(node, data_format, report, is_base64=is_base64)
    if schema.get("type") and data_format in FORMATS:
        found["format"] = data_format
    elif declared is not None and schema.get("type") and data_format not in BINARY_FORMATS:
        _drop(report, node, "format", "validators of consumers do not know this format")
    return found


def _encoded(node: Node, data_format: str | None, report: Report, *, is_base64: bool) -> Schema:
    found: Schema = {}
    encoding = node.value.get("contentEncoding")
    if data_format == "binary" and not is_base64:
        found["contentMediaType"] = OCTET_STREAM
    elif data_format in BINARY_FORMATS:
        found["contentEncoding"] = "base64"
    elif isinstance(encoding, str) and encoding:
        found["contentEncoding"] = encoding
    try:
        media_type = read_media_type(node.member("contentMediaType"))
    except ConversionError as error:
        report.fault(node.member("contentMediaType"), error.message)
        return found
    return found | ({"contentMediaType": media_type} if media_type else {})


def values(node: Node, kind: str | None, report: Report, limit: int) -> tuple[Schema, bool]:
    """Which values there are, and whether that is all that was said about them."""
    found: Schema = {}
    is_exact = True
    if "const" in node.value:
        found |= _kept(node, "const", report)
        is_exact = "const" in found
    if "enum" not in node.value:
        return found, is_exact
    declared = node.value["enum"]
    enum = enumerated(declared, kind, limit)
    if enum is None:
        why = "no value of it is a plain one of the type, or it has too many values"
        _drop(report, node, "enum", why)
        return found, False
    if len(enum) < len([value for value in declared if value is not None]):
        why = "values that stand twice or are of another type are left out"
        _drop(report, node, "enum", why)
    return found | {"enum": enum}, is_exact


def drop_rest(node: Node, kept: Collection[str], report: Report) -> bool:
    """Tells of every keyword that nobody reads; `kept` are the constraints that are.

    Returns whether all that was dropped says nothing about values.
    """
    is_exact = True
    extra = node.value.get("additionalProperties")
    if extra is not None and extra is not True and extra != {}:
        is_exact = False
        _drop(report, node, "additionalProperties", NO_WORD)
    for name in node.value:
        if name in _WIDENING:
            is_exact = is_exact and node.value[name] is False
            _drop(report, node, name, NO_WORD)
        elif name in _CONSTRAINTS and not _is_said(name, node.value, kept):
            is_exact = False
            _drop(report, node, name, _ODD_PATTERN if name == "pattern" else _ODD_BOUND)
        elif name not in _HANDLED and name not in _SILENT:
            _drop(report, node, name, VENDOR if name.startswith("x-") else UNKNOWN)
    return is_exact


def _is_said(name: str, source: dict[str, Any], kept: Collection[str]) -> bool:
    if name in kept or source[name] is False:
        return True
    # Of OpenAPI 3.0: the bound stands in the exclusive one.
    is_moved = source.get(f"exclusive{name.capitalize()}") is True
    return is_moved and f"exclusive{name.capitalize()}" in kept


def has_empties(value: Any) -> bool:
    """Whether there is null or something empty in a value, which no TD may have."""
    if isinstance(value, dict):
        return not value or any(map(has_empties, value.values()))
    if isinstance(value, list):
        return not value or any(map(has_empties, value))
    return value is None


def _drop(report: Report, node: Node, name: str, why: str) -> None:
    report.drop(node.member(name), name, why)

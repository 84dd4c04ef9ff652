"""The keywords of a schema that stand alone: types, formats, bounds and values."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from converters.reading import Node, is_in_range

Schema: TypeAlias = dict[str, Any]

PATTERN_LIMIT_CHARS = 1000

# What people write as a type: OpenAPI's types, its formats, and the types of programming languages.
TYPES: Mapping[str, Schema] = {
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
    "binary": {"type": "string", "format": "binary"},
    "byte": {"type": "string", "format": "byte"},
    "file": {"type": "string", "format": "binary"},
    "object": {"type": "object"},
    "array": {"type": "array"},
    "null": {"type": "null"},
}

JSON_TYPES = ("boolean", "number", "string", "object", "array", "null")

# Formats that consumers' validators know (ajv-formats): some refuse a schema with any other.
FORMATS = frozenset(
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
        "json-pointer",
        "relative-json-pointer",
        "time",
        "uri",
        "uri-reference",
        "uri-template",
        "uuid",
    }
)
BINARY_FORMATS = frozenset({"binary", "byte", "base64"})

NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
# Which keywords say something about which type.
OF_TYPE: Mapping[str, frozenset[str]] = {
    "number": frozenset({*NUMBERS, "multipleOf"}),
    "integer": frozenset({*NUMBERS, "multipleOf"}),
    "string": frozenset({"minLength", "maxLength", "pattern"}),
    "array": frozenset({"minItems", "maxItems"}),
}
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems")
_ALL = frozenset().union(*OF_TYPE.values())

_IS_OF_TYPE: Mapping[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "integer": (int, float),
    "number": (int, float),
    "string": (str,),
    "array": (list,),
    "object": (dict,),
}

# What a regular expression of ECMA-262 with flag `u` may have in it that Python reads alike: no
# classes by Unicode property, no escapes that only one of them knows, no named or atomic groups.
_COMMON_ESCAPES = re.compile(
    r"\\(?:[dDwWsSbBnrtfv0^$\\.*+?()\[\]{}|/-]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})"
)
_ONLY_ONE_KNOWS = re.compile(r"\(\?(?![:=!])|[*+?}]\+|\(\?<|\[\]|\[\^\]|\[[^\]]*\[|&&|--|\|\||~~")
_HYPHEN = "\N{HYPHEN}"
# Repeated groups with repetitions in them: these may take for ever.
_NESTED_REPETITION = re.compile(r"\((?:[^()\\]|\\.)*[*+](?:[^()\\]|\\.)*\)(?:[*+]|\{\d+,)")


def constraints(node: Node, kind: str | None, *, keeps_patterns: bool) -> Schema:
    """Bounds of a value of a type, or of any type when it is unknown; what is malformed is left out."""
    wanted = _ALL if kind is None else OF_TYPE.get(kind, frozenset())
    source: Mapping[str, Any] = {
        n: v for n, v in node.value.items() if isinstance(n, str) and n in wanted
    }
    found: Schema = {n: source[n] for n in NUMBERS if is_number(source.get(n))}
    found |= {name: int(source[name]) for name in _COUNTS if is_count(source.get(name))}
    for name, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        # OpenAPI 3.0 says whether the bound is exclusive, 3.1 gives an exclusive bound.
        if source.get(name) is True and bound in found:
            found[name] = found.pop(bound)
    if is_number(source.get("multipleOf")) and source["multipleOf"] > 0:
        found["multipleOf"] = source["multipleOf"]
    if keeps_patterns and is_common_pattern(source.get("pattern")):
        found["pattern"] = source["pattern"]
    return found


def enumerated(values: object, kind: str | None, limit: int) -> list[Any] | None:
    """The scalars of an enum that are of the type, without null; None when it says nothing."""
    if not isinstance(values, list) or len(values) > 2 * limit:
        return None
    wanted = _IS_OF_TYPE.get(kind or "", (bool, int, float, str))
    found = distinct([v for v in values if is_scalar(v) and isinstance(v, wanted)])
    if kind in {"integer", "number"}:
        found = [value for value in found if not isinstance(value, bool)]
    return found if 0 < len(found) <= limit else None


def is_common_pattern(pattern: object) -> bool:
    """Whether Python and ECMA-262 both compile a regular expression, alike and without danger."""
    if not isinstance(pattern, str) or not 0 < len(pattern) <= PATTERN_LIMIT_CHARS:
        return False
    # A hyphen may be escaped in a class only; it is told apart.
    bare = _COMMON_ESCAPES.sub(lambda match: _HYPHEN if match[0] == "\\-" else "e", pattern)
    if "\\" in bare or _ONLY_ONE_KNOWS.search(bare) or _has_loose_brackets(bare):
        return False
    if _NESTED_REPETITION.search(bare):
        return False
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


def _has_loose_brackets(bare: str) -> bool:
    """Brackets and hyphens that stand for themselves where the flag `u` refuses them."""
    outside = re.sub(r"\[\^?[^\]]*\]", "c", bare)
    outside = re.sub(r"\{\d+(?:,\d*)?\}", "", outside)
    if _HYPHEN in outside:
        return True
    inside = re.findall(r"\[\^?([^\]]*)\]", bare)
    # A class in a range ([\w-x]) is an error with the flag `u`.
    return bool(re.search(r"[\[\]{}]", outside)) or any("e-" in i or "-e" in i for i in inside)


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and is_in_range(value)


def is_count(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return False
    return float(value).is_integer() and value < 2**53


def is_scalar(value: object) -> bool:
    return isinstance(value, str | bool | int | float)


def distinct(values: Sequence[Any]) -> list[Any]:
    """The values, each once: JSON knows no difference between 1 and 1.0."""
    seen: dict[str, Any] = {}
    for value in values:
        whole = isinstance(value, float) and value.is_integer()
        seen.setdefault(json.dumps(int(value) if whole else value, sort_keys=True), value)
    return list(seen.values())

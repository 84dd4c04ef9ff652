"""Puts data schemas together: allOf is merged, anyOf made exclusive, null added."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from converters.schema_keywords import Schema, distinct

_TIGHTER: Mapping[str, Callable[[Any, Any], Any]] = {
    "minimum": max,
    "exclusiveMinimum": max,
    "minLength": max,
    "minItems": max,
    "maximum": min,
    "exclusiveMaximum": min,
    "maxLength": min,
    "maxItems": min,
}
# Words about a value: the first one's stay.
_WORDS = frozenset({"title", "description", "default", "readOnly", "writeOnly"})


def merge(first: Schema, second: Schema) -> tuple[Schema, list[str]]:
    """The schema of what both demand, and the keywords of the second that are lost in it."""
    merged, lost = dict(first), []
    for name, value in second.items():
        if name not in merged:
            merged[name] = value
        elif merged[name] == value or name in _WORDS or name.partition(":")[1]:
            continue
        elif name in _TIGHTER:
            merged[name] = _TIGHTER[name](merged[name], value)
        elif name == "required":
            merged[name] = list(dict.fromkeys([*merged[name], *value]))
        elif name == "properties":
            merged[name], inner = _merge_members(merged[name], value)
            lost += inner
        elif name == "enum" and (both := [v for v in merged[name] if v in value]):
            merged[name] = both
        elif name == "items":
            merged[name], inner = merge(merged[name], value)
            lost += inner
        elif name == "type" and {merged[name], value} == {"integer", "number"}:
            merged[name] = "integer"
        else:
            lost.append(name)
    return merged, lost


def _merge_members(
    first: Mapping[str, Schema], second: Mapping[str, Schema]
) -> tuple[dict[str, Schema], list[str]]:
    members, lost = dict(first), []
    for name, schema in second.items():
        if name in members:
            members[name], inner = merge(members[name], schema)
            lost += inner
        else:
            members[name] = schema
    return members, lost


def exclusive(options: Sequence[Schema], *, are_exact: bool) -> tuple[list[Schema], bool]:
    """Options of which no value matches two, and whether something was given up for that.

    `are_exact` says that the options exclude each other as they are. Otherwise those of one type that
    nothing tells apart become one of that type; no options are left when a type is unknown.
    """
    found = distinct(options)
    if are_exact or are_disjoint(found):
        return found, False
    types = [_type(option) for option in found]
    if None in types:
        return [], True
    groups: dict[str, list[Schema]] = {}
    for kind, option in zip(types, found, strict=True):
        groups.setdefault(str(kind), []).append(option)
    return [_any_of_group(kind, group) for kind, group in groups.items()], True


def _any_of_group(kind: str, group: list[Schema]) -> Schema:
    if len(group) == 1:
        return group[0]
    if kind == "number" and all(option.get("type") == "integer" for option in group):
        kind = "integer"
    if all("enum" in option for option in group):
        return {"type": kind, "enum": distinct([v for option in group for v in option["enum"]])}
    return {"type": kind}


def are_disjoint(options: Sequence[Schema]) -> bool:
    """Whether something tells any two options apart: their types, their values, or a member's."""
    return all(
        _are_apart(first, second)
        for index, first in enumerate(options)
        for second in options[index + 1 :]
    )


def _are_apart(first: Schema, second: Schema) -> bool:
    types = _type(first), _type(second)
    if None not in types and types[0] != types[1]:
        return True
    values = _values(first), _values(second)
    if values[0] is not None and values[1] is not None:
        return not any(value in values[1] for value in values[0])
    if types != ("object", "object"):
        return False
    shared = set(first.get("required", ())) & set(second.get("required", ()))
    members = first.get("properties", {}), second.get("properties", {})
    return any(
        name in members[0] and name in members[1] and _are_apart(members[0][name], members[1][name])
        for name in shared
    )


def _type(schema: Schema) -> str | None:
    kind = schema.get("type")
    return "number" if kind == "integer" else kind


def _values(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values: list[Any] | None = schema.get("enum")
    return values


def nullable(schema: Schema) -> Schema:
    """The schema that lets null be a value, too; one that says nothing does so already."""
    if not schema.keys() & {"type", "enum", "const", "oneOf"}:
        return schema
    null = {"type": "null"}
    if schema.keys() == {"oneOf"}:
        return schema if null in schema["oneOf"] else {"oneOf": [*schema["oneOf"], null]}
    return {"oneOf": [schema, null]}

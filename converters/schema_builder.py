"""The one builder of data schemas of TD 1.1 from JSON Schema as OpenAPI writes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from converters.errors import ConversionError
from converters.losses import Report
from converters.reading import Node
from converters.schema_keywords import JSON_TYPES, OF_TYPE, TYPES, Schema, constraints, distinct
from converters.schema_merging import exclusive, merge, nullable
from converters.schema_parts import Built, Parts
from converters.schema_words import NO_WORD, annotations, drop_rest, formatted, kinds, values

NESTING_LIMIT = 12
RECURSION_LIMIT = 80

_TOO_DEEP = "nested too deeply, or with too many parts: what is inside of it is left open"
_CYCLE = "it leads back to a schema that contains it"
_ALTERNATIVES = "a data schema has no anyOf, and its oneOf wants options that exclude each other"
_CONSTRAINTS = frozenset().union(*OF_TYPE.values())


class Direction(StrEnum):
    """Whether a value goes to the Thing or comes from it: readOnly members are not sent to it."""

    INPUT = "input"
    OUTPUT = "output"


class References(Protocol):
    """What `$ref` means in a document."""

    def target(self, node: Node) -> Node:
        """What a reference points to. Raises ConversionError when that is nothing."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How schemas are written, and what is made of them.

    A schema is built as deep as the first of `depths` at which it has at most `nodes_limit` parts.
    """

    keeps_patterns: bool = True
    is_binary_base64: bool = False
    are_siblings_read: bool = True
    members_limit: int = 1024
    depths: tuple[int, ...] = (NESTING_LIMIT, 6, 4, 3, 2, 1, 0)
    nodes_limit: int = 2000


class _TooLarge(Exception):
    """More parts than a value's schema may have."""


class SchemaBuilder:
    """Builds schemas, telling a report what it leaves out."""

    def __init__(self, references: References, report: Report, dialect: Dialect) -> None:
        self._references = references
        self._report = report
        self._dialect = dialect
        self._direction = Direction.OUTPUT
        self._open: list[str] = []
        self._depth = 0
        self._nodes = 0
        self._known: dict[tuple[str, int, Direction], Built] = {}
        self._values: dict[tuple[str, Direction], Schema] = {}

    def build(self, node: Node, direction: Direction = Direction.OUTPUT) -> Schema:
        """The data schema of a value; {} when nothing is known of it. Not to be changed."""
        if is_reference(node) and len(node.value) == 1:
            try:
                node = self._references.target(node)
            except ConversionError as error:
                self._report.fault(Node(node.value, error.pointer), error.message)
                return {}
        key = (node.pointer, direction)
        if key not in self._values:
            self._direction = direction
            self._values[key] = self._deepest(node)
        return self._values[key]

    def _deepest(self, node: Node) -> Schema:
        for level in self._dialect.depths:
            self._nodes, self._depth, self._open = 0, 0, [node.pointer]
            try:
                built = self._build(node, level)
            except _TooLarge:
                continue
            for cut in built.cuts:
                self._report.fault(cut, _TOO_DEEP)
            return built.schema
        self._report.fault(node, _TOO_DEEP)
        return {}

    def _build(self, node: Node, level: int) -> Built:
        if node.is_null or node.value is True or node.value == {}:
            return Built({})
        if node.value is False:
            self._report.drop(node, "false", "a data schema cannot forbid every value")
            return Built({}, is_exact=False)
        if not node.is_object:
            self._report.fault(node, "expected a schema")
            return Built({}, is_exact=False)
        if self._depth >= RECURSION_LIMIT:
            return Built({}, is_exact=False, cuts=(node,))
        self._depth += 1
        try:
            return self._refer(node, level) if is_reference(node) else self._read(node, level)
        finally:
            self._depth -= 1

    def _refer(self, node: Node, level: int) -> Built:
        try:
            target = self._references.target(node)
        except ConversionError as error:
            self._report.fault(Node(node.value, error.pointer), error.message)
            return Built({}, is_exact=False)
        if target.pointer in self._open:
            self._report.drop(node, "cycle", _CYCLE)
            kind: Schema = {"type": "object"} if _looks_like_object(target) else {}
            return Built(kind, is_exact=False, nodes=1, loops=frozenset({target.pointer}))
        built = self._follow(target, level)
        beside = {name: value for name, value in node.value.items() if name != "$ref"}
        if not self._dialect.are_siblings_read:
            for name in beside:
                self._report.drop(node.member(name), name, "it is ignored beside a $ref")
        elif beside:
            parts = Parts({})
            own = parts.take(self._read(Node(beside, node.pointer), level))
            parts.schema = self._merged(parts, own, parts.take(built), node)
            return parts.built()
        return built

    def _follow(self, target: Node, level: int) -> Built:
        key = (target.pointer, level, self._direction)
        if key in self._known:
            self._count(self._known[key].nodes)
            return self._known[key]
        self._open.append(target.pointer)
        try:
            built = self._build(target, level)
        finally:
            self._open.pop()
        built = built._replace(loops=built.loops - {target.pointer})
        if not built.loops:  # else it depends on where it stands
            self._known[key] = built
        return built

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > self._dialect.nodes_limit:
            raise _TooLarge

    def _read(self, node: Node, level: int) -> Built:
        self._count(1)
        parts = Parts(annotations(node, self._report))
        spelled, is_nullable = kinds(node, self._report)
        options = [self._of_kind(parts, node, kind, level) for kind in (spelled or (None,))]
        if len(options) > 1:
            # An integer is a number, too: no value may match two of them.
            is_number = any(option["type"] == "number" for option in options)
            parts.schema["oneOf"] = distinct(
                [o for o in options if o["type"] != "integer" or not is_number]
            )
        else:
            parts.schema |= options[0]
        kept = {name for option in options for name in option} & _CONSTRAINTS
        if not self._dialect.keeps_patterns:
            kept.add("pattern")
        self._combine(parts, node, level)
        parts.is_exact = drop_rest(node, kept, self._report) and parts.is_exact
        if is_nullable and parts.schema.get("type") != "null":
            parts.schema = nullable(parts.schema)
        return parts.built()

    def _of_kind(self, parts: Parts, node: Node, spelled: str | None, level: int) -> Schema:
        schema = dict(TYPES.get(spelled or "", {}))
        kind = schema.get("type")
        extra = formatted(node, schema, self._report, is_base64=self._dialect.is_binary_base64)
        schema.pop("format", None)
        schema |= constraints(node, kind, keeps_patterns=self._dialect.keeps_patterns) | extra
        found, is_exact = values(node, kind, self._report, self._dialect.members_limit)
        parts.is_exact = parts.is_exact and is_exact
        schema |= found
        if kind in {"object", "array"} and level <= 0:
            if node.value.get("properties") or node.value.get("items"):
                parts.cuts.append(node)
                parts.is_exact = False
        elif kind == "object":
            schema |= self._members(parts, node, level - 1)
        elif kind == "array":
            schema |= self._items(parts, node, level - 1)
        return schema

    def _members(self, parts: Parts, node: Node, level: int) -> Schema:
        properties: dict[str, Schema] = {}
        try:
            members = list(node.member("properties").members(self._dialect.members_limit))
        except ConversionError as error:
            self._report.fault(Node(None, error.pointer), error.message)
            members, parts.is_exact = [], False
        for name, member in members:
            properties[name] = as_value(parts.take(self._build(member, level)))
        schema: Schema = {"properties": properties} if properties else {}
        return schema | self._required(parts, node, properties)

    def _required(self, parts: Parts, node: Node, properties: Mapping[str, Schema]) -> Schema:
        required = node.member("required")
        if not isinstance(required.value, list):
            if not isinstance(required.value, bool | None):
                self._report.drop(required, "required", "this is no list of names")
            return {}
        unwanted = "readOnly" if self._direction is Direction.INPUT else "writeOnly"
        found = [
            name
            for name, schema in properties.items()
            if name in required.value and schema.get(unwanted) is not True
        ]
        if len(found) < len(required.value):
            parts.is_exact = False
            why = "names without a property, and what this direction does not have, are left out"
            self._report.drop(required, "required", why)
        return {"required": found} if found else {}

    def _items(self, parts: Parts, node: Node, level: int) -> Schema:
        items = node.member("items")
        if not isinstance(items.value, list):
            item = parts.take(self._build(items, level))
            return {"items": as_value(item)} if item else {}
        # That each place has a schema of its own is lost: W3C's assertion report fails the array form
        # of `items`, which TD 1.1 has.
        several = [parts.take(self._build(each, level)) for each in self._list(items)]
        if len(distinct(several)) == 1:
            return {"items": as_value(several[0])}
        parts.is_exact = False
        self._report.drop(items, "items", NO_WORD)
        return {}

    def _combine(self, parts: Parts, node: Node, level: int) -> None:
        for element in self._list(node.member("allOf")):
            schema = parts.take(self._build(element, level))
            parts.schema = self._merged(parts, parts.schema, schema, element)
        for name in ("oneOf", "anyOf"):
            alternatives = node.member(name)
            built = [self._build(element, level) for element in self._list(alternatives)]
            if built:
                options = [as_value(parts.take(each)) for each in built]
                are_exact = name == "oneOf" and all(each.is_exact for each in built)
                self._choose(parts, alternatives, options, are_exact=are_exact)

    def _choose(self, parts: Parts, node: Node, options: list[Schema], *, are_exact: bool) -> None:
        found, is_weaker = exclusive(options, are_exact=are_exact)
        if is_weaker:
            parts.is_exact = False
            self._report.drop(node, node.pointer.rpartition("/")[2], _ALTERNATIVES)
        if len(found) == 1:
            parts.schema = self._merged(parts, parts.schema, found[0], node)
        elif found and "oneOf" not in parts.schema:
            parts.schema["oneOf"] = found
        elif found:
            parts.is_exact = False
            self._report.drop(node, "alternatives", "a data schema has room for one oneOf")

    def _merged(self, parts: Parts, first: Schema, second: Schema, node: Node) -> Schema:
        merged, lost = merge(first, second)
        for name in dict.fromkeys(lost):
            parts.is_exact = False
            self._report.drop(node, name, "it cannot be merged with what else the schema demands")
        return merged

    def _list(self, node: Node) -> list[Node]:
        try:
            return list(node.elements(self._dialect.members_limit))
        except ConversionError as error:
            self._report.fault(node, error.message)
            return []


def as_value(schema: Mapping[str, Any]) -> Schema:
    """The schema of something that a consumer reads: where nothing is known, any JSON value."""
    if schema.keys() & {"type", "enum", "const", "oneOf"}:
        return dict(schema)
    return {**schema, "oneOf": [{"type": name} for name in JSON_TYPES]}


def is_reference(node: Node) -> bool:
    return node.is_object and isinstance(node.value.get("$ref"), str)


def _looks_like_object(node: Node) -> bool:
    return not node.is_object or node.value.get("type", "object") == "object"

"""Paths and parameters as URI templates (RFC 6570) with their variables."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from converters.losses import Losses
from converters.openapi.model import Operation, Parameter, Place
from converters.reading import Node
from converters.schema_builder import Direction, SchemaBuilder, as_value
from converters.schema_keywords import Schema, is_scalar
from converters.schema_words import PROSE_LIMIT_CHARS
from thing_descriptions.vocabulary import DEPRECATED, EXAMPLE

_EXPRESSION = re.compile(r"\{([^{}]*)\}")
_LITERAL = "/:@!$&'()*+,;=-._~%?"
_OPERATORS = {"simple": "", "label": ".", "matrix": ";"}
_OPTIONAL = "a URI template cannot say that a variable must have a value"
_STYLE = "RFC 6570 has no such style: the variable is expanded as in style `form`"
_TEXT = "a URI template cannot write a document: its text is the value"


@dataclass(frozen=True, slots=True)
class Href:
    """A template relative to a server, and the schemas of its variables; which of them need a value."""

    template: str
    variables: Mapping[str, Schema]
    needs_values: bool


class _Variables:
    """Variables by the names that a template can have, each parameter's its own."""

    def __init__(self, schemas: SchemaBuilder) -> None:
        self._schemas = schemas
        self.found: dict[str, Schema] = {}

    def add(self, parameter: Parameter, name: str) -> Schema:
        schema = as_value(self._schemas.build(parameter.schema, Direction.INPUT))
        if parameter.media_type:
            schema = {"type": "string", "contentMediaType": parameter.media_type}
        if text := parameter.node.member("description").prose(PROSE_LIMIT_CHARS):
            schema["description"] = text
        example = parameter.node.member("example").value
        if is_scalar(example):
            schema[EXAMPLE] = example
        if parameter.node.member("deprecated").value is True:
            schema[DEPRECATED] = True
        self.found[name] = schema
        return schema


def to_href(operation: Operation, schemas: SchemaBuilder, losses: Losses) -> Href:
    """The template of an operation's path and query."""
    variables = _Variables(schemas)
    query = [p for p in operation.parameters if p.place is Place.QUERY]
    expressions = [_in_query(p, variables, losses) for p in query]
    path, fragment = _path(operation, variables, losses)
    if expressions:
        path += f"{{{'&' if '?' in path else '?'}{','.join(expressions)}}}"
    needs = any(p.is_required or p.place is Place.PATH for p in operation.parameters)
    return Href(path + fragment, variables.found, needs)


def _path(operation: Operation, variables: _Variables, losses: Losses) -> tuple[str, str]:
    """The path with an expression for each of its variables, and its fragment."""
    path, hash_, fragment = operation.path.partition("#")
    declared = {p.name: p for p in operation.parameters if p.place is Place.PATH}
    unused, pieces, last = dict(declared), [], 0
    written: dict[str, str] = {}
    for match in _EXPRESSION.finditer(path):
        pieces.append(_literal(path[last : match.start()]))
        last = match.end()
        reserved = match[1].startswith("+")
        name = match[1].removeprefix("+").removesuffix("*")
        parameter = declared.get(match[1]) or declared.get(name) or _undeclared(operation, name)
        unused.pop(parameter.name, None)
        if parameter.name not in declared:
            losses.fault(parameter.node, f"no parameter describes the variable {name!r}")
        if parameter.name not in written:
            expression = _in_path(parameter, variables, losses, reserved=reserved)
            written[parameter.name] = expression
        pieces.append(written[parameter.name])
    for parameter in unused.values():
        losses.drop(parameter.node, parameter.name, "the path has no place for this parameter")
    text = "".join([*pieces, _literal(path[last:])])
    return _relative(text), hash_ + quote(fragment, safe=_LITERAL)


def _relative(path: str) -> str:
    """The path as it goes on from a server's URL, which ends with a slash."""
    path = path.removeprefix("/")
    # RFC 3986 section 4.2: such a beginning would make it a URL of its own, or nothing of it.
    is_odd = not path or path.startswith("/") or ":" in path.partition("/")[0]
    return f"./{path}" if is_odd else path


def _in_path(parameter: Parameter, variables: _Variables, losses: Losses, *, reserved: bool) -> str:
    name = re.sub(r"[^A-Za-z0-9_]", "_", parameter.name) or "_"
    base, number = name, 1
    while name in variables.found:
        number += 1
        name = f"{base}_{number}"
    schema = variables.add(parameter, name)
    _report(parameter, losses)
    operator = "+" if reserved else _OPERATORS.get(parameter.style)
    if operator is None:
        losses.fault(parameter.node.member("style"), "a path has no such style")
    return f"{{{operator or ''}{name}{_modifier(parameter, schema)}}}"


def _in_query(parameter: Parameter, variables: _Variables, losses: Losses) -> str:
    # A variable's name is written as it is, so it has to be fit for a URL.
    name = "".join(
        c if re.match(r"[A-Za-z0-9_]", c) else "".join(f"%{byte:02X}" for byte in c.encode())
        for c in parameter.name
    )
    schema = variables.add(parameter, name)
    _report(parameter, losses)
    if parameter.is_required:
        losses.drop(parameter.node.member("required"), "required", _OPTIONAL)
    if parameter.style != "form":
        losses.drop(parameter.node.member("style"), parameter.style, _STYLE)
    return name + _modifier(parameter, schema)


def _modifier(parameter: Parameter, schema: Schema) -> str:
    kinds = {schema.get("type"), *(option.get("type") for option in schema.get("oneOf", ()))}
    # Of any JSON value nobody knows; of a scalar the sign would make no difference.
    is_composite = bool(kinds & {"array", "object"}) and not {"string", "object"} <= kinds
    return "*" if parameter.explode and is_composite and not parameter.media_type else ""


def _report(parameter: Parameter, losses: Losses) -> None:
    node = parameter.node
    if parameter.media_type:
        losses.drop(node, parameter.media_type, _TEXT)
    for name in ("allowEmptyValue", "allowReserved", "example", "examples"):
        value = node.value.get(name)
        if value not in (None, False) and not (name == "example" and is_scalar(value)):
            losses.drop(node.member(name), name, "a URI variable has no word for it")


def _undeclared(operation: Operation, name: str) -> Parameter:
    place = Node({}, operation.node.pointer.rpartition("/")[0])
    return Parameter(place, name, Place.PATH, Node({"type": "string"}), True, "simple", False)


def _literal(text: str) -> str:
    return quote(text, safe=_LITERAL)


def overridden(shared: Sequence[Parameter], own: Sequence[Parameter]) -> tuple[Parameter, ...]:
    """A path's parameters and an operation's, which win (OpenAPI 3.1.0 section 4.8.9.1)."""
    found = {(parameter.place, parameter.name): parameter for parameter in (*shared, *own)}
    return tuple(found.values())

"""One HTTP form of a Thing as an OpenAPI operation."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from converters.media_types import JSON, MULTIPART, is_json
from converters.openapi.written_security import SecuritySchemes
from converters.schema_keywords import Schema

EVENT_STREAM = "text/event-stream"

_METHODS = {
    "readproperty": "GET",
    "writeproperty": "PUT",
    "invokeaction": "POST",
    "readallproperties": "GET",
    "writeallproperties": "PUT",
    "writemultipleproperties": "PUT",
    "queryaction": "GET",
    "cancelaction": "DELETE",
}
# Members of affordances that are not of their data schema, and those that only TDs know.
_NOT_SCHEMA = frozenset(
    {"forms", "uriVariables", "observable", "titles", "descriptions", "unit", "@type"}
)
_QUERY = re.compile(r"\{[?&]([^{}]*)\}")
_PROBLEM = {"$ref": "#/components/responses/Problem"}
_STATUS = {"$ref": "#/components/schemas/ActionStatus"}


@dataclass(frozen=True, slots=True)
class Operation:
    """What a form is for: an operation of TD 1.1 on an affordance, or on the whole Thing ("")."""

    thing: Mapping[str, Any]
    affordance_name: str
    affordance: Mapping[str, Any]
    form: Mapping[str, Any]
    op: str
    url: str
    variables: Mapping[str, Any]

    @property
    def method(self) -> str:
        method: str = self.form.get("htv:methodName", _METHODS.get(self.op, "GET"))
        return method

    @property
    def name(self) -> str:
        return "-".join(filter(None, (self._thing_name, self.affordance_name, self.op)))

    @property
    def _thing_name(self) -> str:
        title: str = self.thing.get("title", "thing")
        return title

    @property
    def media_type(self) -> str:
        media_type: str = self.form.get("contentType", JSON)
        return media_type

    @property
    def answer_media_type(self) -> str:
        media_type: str = self.form.get("response", {}).get("contentType", self.media_type)
        return media_type


def describe_operation(operation: Operation, schemes: SecuritySchemes) -> dict[str, Any]:
    """The operation object (OpenAPI 3.1.0 section 4.8.10) without an operationId."""
    affordance, form = operation.affordance, operation.form
    described: dict[str, Any] = {
        "tags": [str(operation.thing.get("title", "Thing"))],
        "summary": affordance.get("title") or operation.affordance_name or operation.op,
        "description": affordance.get("description"),
        "parameters": list(_parameters(operation)),
        "requestBody": _request_body(operation),
        "responses": {**_answers(operation), "default": _PROBLEM},
        "security": schemes.requirements(
            form.get("security", operation.thing.get("security", ())),
            operation.thing.get("securityDefinitions", {}),
            form.get("scopes", ()),
        ),
    }
    return {name: value for name, value in described.items() if value not in (None, [])}


def merge_operations(first: dict[str, Any], second: Mapping[str, Any]) -> None:
    """Adds what a second form of the same path and method offers: further media types."""
    if "requestBody" in second:
        known = first.setdefault("requestBody", second["requestBody"])
        for media_type, content in second["requestBody"]["content"].items():
            known["content"].setdefault(media_type, content)
    for status, response in second["responses"].items():
        known = first["responses"].setdefault(status, response)
        for media_type, content in response.get("content", {}).items():
            known.setdefault("content", {}).setdefault(media_type, content)


def to_json_schema(schema: Mapping[str, Any]) -> Schema:
    """A data schema without what only Thing Descriptions know."""
    found: Schema = {}
    for name, value in schema.items():
        if name in _NOT_SCHEMA or ":" in name:
            continue
        if name == "properties":
            found[name] = {member: to_json_schema(each) for member, each in value.items()}
        elif name == "items":
            found[name] = _items(value)
        elif name == "oneOf":
            found[name] = [to_json_schema(each) for each in value]
        else:
            found[name] = value
    return found


def _items(value: Any) -> Any:
    return to_json_schema(value) if isinstance(value, Mapping) else {}


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    href = operation.url
    query = {name.rstrip("*") for names in _QUERY.findall(href) for name in names.split(",")}
    for name, schema in operation.variables.items():
        if name in query:
            yield {"name": name, "in": "query", "schema": to_json_schema(schema)}
        elif re.search(rf"\{{[+./;]?{re.escape(name)}[*}},:]", href):
            place = {"name": name, "in": "path", "required": True}
            yield {**place, "schema": to_json_schema(schema)}


def _request_body(operation: Operation) -> dict[str, Any] | None:
    schema = _input(operation)
    if schema is None:
        return None
    content = _content(schema, operation.media_type)
    return {"content": {operation.media_type: content}, "required": True}


def _input(operation: Operation) -> Mapping[str, Any] | None:
    match operation.op:
        case "writeproperty":
            return _value(operation.affordance)
        case "invokeaction":
            schema: Mapping[str, Any] | None = operation.affordance.get("input")
            return schema
        case "writemultipleproperties" | "writeallproperties":
            properties = operation.thing.get("properties", {}).items()
            written = {name: _value(p) for name, p in properties if not p.get("readOnly")}
            return {"type": "object", "properties": written}
    return None


def _value(affordance: Mapping[str, Any]) -> Schema:
    """A property's own data schema: that it is read-only says nothing about its value."""
    return {n: v for n, v in affordance.items() if n not in {"readOnly", "writeOnly"}}


def _content(schema: Mapping[str, Any], media_type: str) -> dict[str, Any]:
    plain = to_json_schema(schema)
    if media_type.startswith(MULTIPART):
        files = {
            name: {"contentType": member.get("contentMediaType", "application/octet-stream")}
            for name, member in plain.get("properties", {}).items()
            if "contentEncoding" in member
        }
        members = plain.get("properties", {})
        bare = {name: {} if name in files else members[name] for name in members}
        described = {"schema": {**plain, "properties": bare}} if bare else {"schema": plain}
        return described | ({"encoding": files} if files else {})
    if is_json(media_type):
        return {"schema": plain}
    # Bytes as they are: OpenAPI 3.1 has no schema for them.
    return {}


def _answers(operation: Operation) -> dict[str, Any]:
    match operation.op:
        case "readproperty":
            return _value_answer(operation, _value(operation.affordance))
        case "writeproperty" | "writemultipleproperties" | "writeallproperties" | "cancelaction":
            return {"204": {"description": "Done."}}
        case "invokeaction":
            return _action_answers(operation)
        case "queryaction":
            return {"200": {"description": "How it goes.", "content": {JSON: {"schema": _STATUS}}}}
        case "readallproperties" | "queryallactions":
            return _value_answer(operation, {"type": "object"})
    return _notification(operation)


def _action_answers(operation: Operation) -> dict[str, Any]:
    output = operation.affordance.get("output")
    if operation.affordance.get("synchronous") is False:
        headers = {"Location": {"schema": {"type": "string", "format": "uri-reference"}}}
        content = {JSON: {"schema": _STATUS}}
        return {"201": {"description": "It has begun.", "headers": headers, "content": content}}
    if output is None:
        return {"204": {"description": "Done."}}
    return _value_answer(operation, output)


def _value_answer(operation: Operation, schema: Mapping[str, Any]) -> dict[str, Any]:
    media_type = operation.answer_media_type
    content = {media_type: _content(schema, media_type)}
    return {"200": {"description": "The value.", "content": content}}


def _notification(operation: Operation) -> dict[str, Any]:
    """Values as they come: one of them to who polls, all of them in a stream of events."""
    if operation.form.get("subprotocol") == "sse":
        content: dict[str, Any] = {EVENT_STREAM: {"schema": {"type": "string"}}}
        return {"200": {"description": "A stream of events.", "content": content}}
    schema = operation.affordance.get("data", _value(operation.affordance))
    return _value_answer(operation, schema)

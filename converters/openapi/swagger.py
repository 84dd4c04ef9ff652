"""Reads OpenAPI 2.0, which was called Swagger."""

from collections.abc import Iterator, Mapping
from typing import Any

from converters.losses import VENDOR, Losses
from converters.media_types import JSON, MULTIPART
from converters.openapi.documents import Documents
from converters.openapi.hrefs import overridden
from converters.openapi.model import (
    Api,
    Body,
    Content,
    Operation,
    Parameter,
    Part,
    Place,
    Response,
    Server,
)
from converters.openapi.reader import MEMBERS_LIMIT, NAME_LIMIT_CHARS, Reader
from converters.openapi.schemes import read_schemes
from converters.openapi.servers import read_host
from converters.reading import Node

FORM = "application/x-www-form-urlencoded"

_ROOT = {
    *("swagger", "info", "host", "basePath", "schemes", "consumes", "produces", "paths"),
    *("definitions", "parameters", "responses", "securityDefinitions", "security", "tags"),
    "externalDocs",
}
_OPERATION = {
    *("tags", "summary", "description", "externalDocs", "operationId", "consumes", "produces"),
    *("parameters", "responses", "schemes", "deprecated", "security"),
}
# What of a parameter is not its schema, whose keywords stand beside.
_PARAMETER = {
    *("name", "in", "required", "description", "collectionFormat", "allowEmptyValue", "schema"),
}
_STYLES = {
    "csv": ("form", False),
    "multi": ("form", True),
    "ssv": ("spaceDelimited", False),
    "tsv": ("tabDelimited", False),
    "pipes": ("pipeDelimited", False),
}


class SwaggerReader(Reader):
    """What an OpenAPI 2.0 document says, in the words of OpenAPI 3."""

    def api(self) -> Api:
        root = self._documents.root
        self._losses.rest(root, _ROOT)
        schemes = read_schemes(root.member("securityDefinitions"), self._documents, self._losses)
        servers = read_host(root, self._source_url, self._losses)
        return Api(root, servers, schemes, root.member("security"))

    def webhooks(self) -> Iterator[tuple[str, Operation]]:
        yield from ()

    def _operation(self, path: str, item: Node, method: str, node: Node) -> Operation:
        if not node.is_object:
            raise node.fail("expected an object")
        self._losses.rest(node, _OPERATION)
        fields = _Fields(self._documents, self._losses)
        shared = fields.sorted(self._elements(item.member("parameters")))
        own = fields.sorted(self._elements(node.member("parameters")))
        security = node.member("security")
        produces = self._media_types(node, "produces")
        return Operation(
            node=node,
            method=method.upper(),
            path=path,
            parameters=overridden(self._parameters_of(shared), self._parameters_of(own)),
            body=fields.body(self._media_types(node, "consumes")),
            responses=tuple(self._answers(node.member("responses"), produces)),
            servers=self._servers(node),
            security=None if security.is_null else security,
            callbacks=Node(None, node.pointer),
        )

    def _servers(self, node: Node) -> tuple[Server, ...] | None:
        schemes = node.member("schemes")
        if schemes.is_null:
            return None
        changed = Node({**self._documents.root.value, "schemes": schemes.value}, "")
        return read_host(changed, self._source_url, self._losses)

    def _media_types(self, node: Node, name: str) -> list[str]:
        declared = node.member(name)
        if declared.is_null:
            declared = self._documents.root.member(name)
        values = declared.value if isinstance(declared.value, list) else []
        return [value for value in values[:MEMBERS_LIMIT] if isinstance(value, str)]

    def _parameters_of(self, nodes: list[Node]) -> list[Parameter]:
        return [p for node in nodes if (p := self._converted(node))]

    def _converted(self, node: Node) -> Parameter | None:
        style, explode = "form", False
        if collection := node.member("collectionFormat").value:
            style, explode = _STYLES.get(str(collection), ("form", False))
            if style != "form":
                place = node.member("collectionFormat")
                self._losses.drop(place, str(collection), "RFC 6570 has no such separator")
                style = "form"
        is_path = node.member("in").value in (Place.PATH, Place.HEADER)
        shown = {name: node.value[name] for name in node.value if name in _PARAMETER - {"schema"}}
        shown.pop("collectionFormat", None)
        shown["style"] = "simple" if is_path else style
        shown["explode"] = explode
        parameter = self._parameter(Node(shown, node.pointer))
        if parameter is None:
            return None
        return Parameter(
            node=parameter.node,
            name=parameter.name,
            place=parameter.place,
            schema=schema_beside(node),
            is_required=parameter.is_required,
            style=parameter.style,
            explode=parameter.explode,
        )

    def _answers(self, node: Node, media_types: list[str]) -> Iterator[Response]:
        for status, response in self._members(node, MEMBERS_LIMIT):
            if status.startswith("x-"):
                self._losses.drop(response, status, VENDOR)
                continue
            response = self._documents.found(response, self._losses)
            if not response.is_object:
                continue
            self._losses.rest(response, {"description", "schema", "headers", "examples"})
            if "examples" in response.value:
                why = "examples of whole bodies are not kept"
                self._losses.drop(response.member("examples"), "examples", why)
            schema = response.member("schema")
            contents = () if schema.is_null else _contents(schema, media_types)
            headers = self._members(response.member("headers"), MEMBERS_LIMIT)
            yield Response(
                node=response,
                status=status,
                description=response.member("description").prose(NAME_LIMIT_CHARS) or "",
                contents=contents,
                headers={name.lower(): header for name, header in headers},
            )


class _Fields:
    """Takes those parameters that make up the body out of the others."""

    def __init__(self, documents: Documents, losses: Losses) -> None:
        self._documents = documents
        self._losses = losses
        self._body: Node | None = None
        self._form: dict[str, Node] = {}

    def sorted(self, nodes: list[Node]) -> list[Node]:
        others = []
        for node in nodes:
            node = self._documents.found(node, self._losses)
            if not node.is_object:
                continue
            match node.member("in").value:
                case "body":
                    self._body = node
                case "formData" if isinstance(node.member("name").value, str):
                    self._form[node.member("name").value] = node
                case _:
                    others.append(node)
        return others

    def body(self, media_types: list[str]) -> Body | None:
        if self._body is not None:
            self._losses.rest(self._body, {"name", "in", "description", "required", "schema"})
            contents = _contents(self._body.member("schema"), media_types)
            required = self._body.member("required").value is True
            return Body(Node(self._body.value, self._body.pointer), contents, required)
        if not self._form:
            return None
        has_file = any(node.member("type").value == "file" for node in self._form.values())
        wanted = [m for m in media_types if m.partition(";")[0].strip() in {FORM, MULTIPART}]
        if has_file:
            wanted = [MULTIPART]
        parts = {
            name: Part(schema_beside(node), node.member("required").value is True)
            for name, node in self._form.items()
        }
        first = next(iter(self._form.values()))
        empty = Node(None, f"{first.pointer}/schema")
        contents = tuple(Content(empty, m, empty, parts) for m in wanted or [FORM])
        is_required = any(part.is_required for part in parts.values())
        return Body(Node({"required": is_required}, first.pointer), contents, is_required)


def schema_beside(node: Node) -> Node:
    """The schema whose keywords stand beside a parameter's own."""
    keywords: Mapping[str, Any] = {n: v for n, v in node.value.items() if n not in _PARAMETER}
    return Node(dict(keywords), node.pointer)


def _contents(schema: Node, media_types: list[str]) -> tuple[Content, ...]:
    is_file = schema.is_object and schema.value.get("type") == "file"
    default = ["application/octet-stream"] if is_file else [JSON]
    nothing = Node(None, schema.pointer)
    return tuple(Content(nothing, name, schema, {}) for name in media_types or default)

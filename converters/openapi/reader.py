"""Reads OpenAPI 3.0 and 3.1."""

from collections.abc import Iterator, Mapping

from converters.errors import ConversionError
from converters.losses import VENDOR, Losses
from converters.openapi.documents import Documents
from converters.openapi.hrefs import overridden
from converters.openapi.model import Api, Body, Content, Operation, Parameter, Part, Place, Response
from converters.openapi.schemes import read_schemes
from converters.openapi.servers import read_servers
from converters.reading import Node

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

PATHS_LIMIT = 50_000
MEMBERS_LIMIT = 1024
NAME_LIMIT_CHARS = 256
PATH_LIMIT_CHARS = 2048

_STYLES = {Place.PATH: "simple", Place.HEADER: "simple"}
# RFC 9110 says what these are; OpenAPI has them ignored (3.1.0 section 4.8.12.2).
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})

_ROOT = {
    *("openapi", "info", "servers", "paths", "webhooks", "components", "security", "tags"),
    *("externalDocs", "jsonSchemaDialect"),
}
_PATH_ITEM = {"$ref", "summary", "description", "servers", "parameters", *METHODS}
_OPERATION = {
    *("tags", "summary", "description", "externalDocs", "operationId", "parameters"),
    *("requestBody", "responses", "callbacks", "deprecated", "security", "servers"),
}
_PARAMETER = {
    *("name", "in", "required", "description", "schema", "style", "explode", "content"),
    *("deprecated", "allowEmptyValue", "allowReserved", "example", "examples"),
}


class Reader:
    """What an OpenAPI 3 document says, part by part; what is malformed is reported and left out."""

    def __init__(self, documents: Documents, source_url: str, losses: Losses) -> None:
        self._documents = documents
        self._source_url = source_url
        self._losses = losses

    def api(self) -> Api:
        root = self._documents.root
        self._losses.rest(root, _ROOT)
        found = self._documents
        schemes = read_schemes(root.member("components", "securitySchemes"), found, self._losses)
        servers = read_servers(root.member("servers"), self._source_url, self._losses)
        return Api(root, servers, schemes, root.member("security"))

    def paths(self) -> Iterator[tuple[str, Node]]:
        """What is at each path, in the document's order."""
        root = self._documents.root
        for path, item in self._members(root.member("paths"), PATHS_LIMIT):
            if path.startswith("x-"):
                self._losses.drop(item, path, VENDOR)
            elif len(path) > PATH_LIMIT_CHARS:
                self._losses.fault(item, f"the path is longer than {PATH_LIMIT_CHARS} characters")
            else:
                yield path, self._documents.found(item, self._losses)

    def webhooks(self) -> Iterator[tuple[str, Operation]]:
        for name, item in self._members(self._documents.root.member("webhooks"), MEMBERS_LIMIT):
            for operation in self.of_path("", item):
                yield name, operation

    def callbacks(self, operation: Operation) -> Iterator[tuple[str, str, Operation]]:
        """The callbacks of an operation: their names, their URLs' expressions, what is called."""
        for name, callback in self._members(operation.callbacks, MEMBERS_LIMIT):
            callback = self._documents.found(callback, self._losses)
            for expression, item in self._members(callback, MEMBERS_LIMIT):
                if expression.startswith("x-"):
                    self._losses.drop(item, expression, VENDOR)
                    continue
                for called in self.of_path("", item):
                    yield name, expression, called

    def of_path(self, path: str, item: Node) -> Iterator[Operation]:
        item = self._documents.found(item, self._losses)
        if not item.is_object:
            if not item.is_null:
                self._losses.fault(item, "expected an object")
            return
        self._losses.rest(item, _PATH_ITEM)
        for name in ("summary", "description"):
            if name in item.value:
                self._losses.drop(item.member(name), name, "words about a path have no place")
        for method in METHODS:
            node = item.member(method)
            if node.is_null:
                continue
            try:
                yield self._operation(path, item, method, node)
            except ConversionError as error:
                self._losses.fault(Node(node.value, error.pointer), error.message)

    def _operation(self, path: str, item: Node, method: str, node: Node) -> Operation:
        if not node.is_object:
            raise node.fail("expected an object")
        self._losses.rest(node, _OPERATION)
        servers = node.member("servers")
        servers = item.member("servers") if servers.is_null else servers
        shared = self._parameters(item.member("parameters"))
        own = self._parameters(node.member("parameters"))
        security = node.member("security")
        return Operation(
            node=node,
            method=method.upper(),
            path=path,
            parameters=overridden(shared, own),
            body=self._body(node.member("requestBody")),
            responses=tuple(self._responses(node.member("responses"))),
            servers=None
            if not servers.value
            else read_servers(servers, self._source_url, self._losses),
            security=None if security.is_null else security,
            callbacks=node.member("callbacks"),
        )

    def _parameters(self, node: Node) -> list[Parameter]:
        found = []
        for element in self._elements(node):
            element = self._documents.found(element, self._losses)
            try:
                if parameter := self._parameter(element):
                    found.append(parameter)
            except ConversionError as error:
                self._losses.fault(Node(element.value, error.pointer), error.message)
        return found

    def _parameter(self, node: Node) -> Parameter | None:
        if node.is_null:
            return None
        name = node.member("name").text(NAME_LIMIT_CHARS)
        if node.member("in").value not in list(Place):
            raise node.member("in").fail("a parameter is in path, query, header or cookie")
        place = Place(node.member("in").value)
        self._losses.rest(node, _PARAMETER)
        if place is Place.HEADER and name.lower() in _IGNORED_HEADERS:
            self._losses.drop(node, name, "OpenAPI has a parameter of this name ignored")
            return None
        schema, media_type = node.member("schema"), ""
        if contents := dict(self._members(node.member("content"), 1)):
            media_type, content = next(iter(contents.items()))
            schema = content.member("schema")
        declared = node.member("style").value
        style = declared if isinstance(declared, str) else _STYLES.get(place, "form")
        explode = node.member("explode").value
        return Parameter(
            node=node,
            name=name,
            place=place,
            schema=schema,
            is_required=node.member("required").value is True,
            style=style,
            explode=explode if isinstance(explode, bool) else style == "form",
            media_type=media_type,
        )

    def _body(self, node: Node) -> Body | None:
        node = self._documents.found(node, self._losses)
        if node.is_null:
            return None
        self._losses.rest(node, {"content", "description", "required"})
        contents = tuple(self._contents(node.member("content")))
        return Body(node, contents, node.member("required").value is True) if contents else None

    def _contents(self, node: Node) -> Iterator[Content]:
        for media_type, content in self._members(node, MEMBERS_LIMIT):
            if not content.is_object:
                self._losses.fault(content, "expected an object")
                continue
            for name in ("example", "examples"):
                if name in content.value:
                    why = "examples of whole bodies are not kept"
                    self._losses.drop(content.member(name), name, why)
            self._losses.rest(content, {"schema", "encoding", "example", "examples"})
            parts = self._encodings(content.member("encoding"))
            yield Content(content, media_type, content.member("schema"), parts)

    def _encodings(self, node: Node) -> Mapping[str, Part]:
        """What is said about the fields of a form beside their schemas."""
        parts = {}
        for name, encoding in self._members(node, MEMBERS_LIMIT):
            if not encoding.is_object:
                self._losses.fault(encoding, "expected an object")
                continue
            media_type = encoding.value.get("contentType")
            for key in encoding.value:
                if key != "contentType":
                    why = "a data schema does not say how a field is written"
                    self._losses.drop(encoding.member(key), key, why)
            if isinstance(media_type, str):
                parts[name] = Part(Node(None, encoding.pointer), media_type=media_type)
        return parts

    def _responses(self, node: Node) -> Iterator[Response]:
        for status, response in self._members(node, MEMBERS_LIMIT):
            if status.startswith("x-"):
                self._losses.drop(response, status, VENDOR)
                continue
            response = self._documents.found(response, self._losses)
            if not response.is_object:
                continue
            self._losses.rest(response, {"description", "content", "headers"})
            headers = dict(self._members(response.member("headers"), MEMBERS_LIMIT))
            yield Response(
                node=response,
                status=status.upper() if status != "default" else status,
                description=response.member("description").prose(NAME_LIMIT_CHARS) or "",
                contents=tuple(self._contents(response.member("content"))),
                headers={name.lower(): header for name, header in headers.items()},
            )

    def _members(self, node: Node, limit: int) -> list[tuple[str, Node]]:
        try:
            return list(node.members(limit))
        except ConversionError as error:
            self._losses.fault(node, error.message)
            return []

    def _elements(self, node: Node) -> list[Node]:
        try:
            return list(node.elements(MEMBERS_LIMIT))
        except ConversionError as error:
            self._losses.fault(node, error.message)
            return []

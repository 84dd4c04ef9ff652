"""Reads one endpoint of a manifest: how a function is called, and what answers."""

from collections.abc import Iterable

from converters.deployment import (
    MOUNTS_LIMIT,
    PARAMETERS_LIMIT,
    Endpoint,
    Mount,
    Parameter,
    Stage,
)
from converters.media_types import JSON, OCTET_STREAM, is_json, read_media_type
from converters.reading import Node, show
from converters.schema import PROSE_LIMIT_CHARS, Schema, parse_schema

METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch"})

PARAMETER_NAME_LIMIT_CHARS = 128
PATH_LIMIT_CHARS = 2048

# How the older manifest spells a file that comes with the request.
_BODY_PLACE = "requestBody"


def parse_endpoint(node: Node) -> Endpoint:
    """An endpoint of the current shape; its files are all those of its request body."""
    request, response = node.member("request"), node.member("response")
    parameters, files = parse_parameters(request.member("parameters"))
    body = request.member("request_body")
    if body.is_null:
        body = request.member("requestBody")
    encoding = body.member("encoding")
    files += parse_files(body.member("schema"), encoding)
    media_type, schema = parse_response(response.member("media_type"), response.member("schema"))
    return Endpoint(
        method=parse_method(node.member("method"), "post" if files else "get"),
        parameters=parameters,
        files=distinct_mounts(files),
        response_media_type=media_type,
        response_schema=schema,
        url=_url(node.member("url")),
        path=_path(node.member("path")),
        description=node.member("description").prose(PROSE_LIMIT_CHARS),
    )


def parse_method(node: Node, default: str) -> str:
    """An HTTP method in lower case."""
    if node.is_null:
        return default
    method = node.value.lower() if isinstance(node.value, str) else ""
    if method not in METHODS:
        raise node.fail(f"expected an HTTP method, found {show(node.value)}")
    return method


def parse_parameters(node: Node) -> tuple[tuple[Parameter, ...], tuple[Mount, ...]]:
    """The arguments in their order, and the files that the older shape lists among them."""
    parameters: dict[str, Parameter] = {}
    files = []
    for element in node.elements(PARAMETERS_LIMIT):
        place = element.member("in")
        if place.value == _BODY_PLACE:
            files.append(_file(element.member("name"), Node(None)))
        elif place.value in (None, "", "query"):
            parameter = _parameter(element)
            if parameter.name in parameters:
                raise element.member("name").fail(f"{parameter.name!r} is declared twice")
            parameters[parameter.name] = parameter
    return tuple(parameters.values()), tuple(files)


def parse_files(schema: Node, encoding: Node) -> tuple[Mount, ...]:
    """The parts of a multipart body: the properties of its schema, with their media types."""
    return tuple(
        _file(Node(name, part.pointer), encoding.member(name, "contentType"))
        for name, part in schema.member("properties").members(MOUNTS_LIMIT)
    )


def parse_response(media_type: Node, schema: Node) -> tuple[str, Schema]:
    """What answers: its media type, "" where none is declared, and what is known of the value."""
    declared, known = read_media_type(media_type), parse_schema(schema)
    # Some descriptions call every answer octets, and say in the schema that it is a number.
    if known.get("type") in {"integer", "number", "boolean"}:
        return (declared if is_json(declared) else JSON), known
    if "contentEncoding" in known and (not declared or is_json(declared)):
        declared = known.get("contentMediaType", OCTET_STREAM)
    if not declared and known:
        declared = JSON
    return declared, known


def distinct_mounts(mounts: Iterable[Mount]) -> tuple[Mount, ...]:
    """The mounts, each path once per stage; the first one stays."""
    found: dict[tuple[str, Stage], Mount] = {}
    for mount in mounts:
        found.setdefault((mount.path, mount.stage), mount)
    return tuple(found.values())


def _parameter(node: Node) -> Parameter:
    # A function of a module has no optional arguments, so only an explicit word makes one.
    return Parameter(
        name=node.member("name").text(PARAMETER_NAME_LIMIT_CHARS),
        schema=parse_schema(node.member("schema")),
        required=node.member("required").value is not False,
        description=node.member("description").prose(PROSE_LIMIT_CHARS),
    )


def _file(name: Node, media_type: Node) -> Mount:
    return Mount(name.identifier(), read_media_type(media_type) or OCTET_STREAM, Stage.EXECUTION)


def _url(node: Node) -> str:
    return "" if node.is_null or node.value == "" else node.url()


def _path(node: Node) -> str:
    if node.is_null or node.value == "":
        return ""
    path = node.text(PATH_LIMIT_CHARS)
    return path if path.startswith("/") else f"/{path}"

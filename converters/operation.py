"""Reads one OpenAPI operation as the endpoint of a function."""

from collections.abc import Iterator

from converters.deployment import Endpoint, Parameter
from converters.endpoint import (
    METHODS,
    distinct_mounts,
    parse_files,
    parse_parameters,
    parse_response,
)
from converters.media_types import MULTIPART
from converters.reading import Node
from converters.schema import PROSE_LIMIT_CHARS

MEDIA_TYPES_LIMIT = 64
RESPONSES_LIMIT = 64
PATH_ITEM_LIMIT = 64


def find_operations(path_item: Node) -> Iterator[tuple[str, Node]]:
    """The operations of a path by their methods, in the document's order."""
    for name, member in path_item.members(PATH_ITEM_LIMIT):
        if name.lower() in METHODS:
            yield name.lower(), member


def parse_operation(method: str, operation: Node, path_item: Node, url: str, path: str) -> Endpoint:
    """The endpoint that an operation (OpenAPI 3.0.3 section 4.7.10) of a path describes."""
    shared, shared_files = parse_parameters(path_item.member("parameters"))
    own, own_files = parse_parameters(operation.member("parameters"))
    body = operation.member("requestBody", "content", MULTIPART)
    files = (
        *own_files,
        *shared_files,
        *parse_files(body.member("schema"), body.member("encoding")),
    )
    media_type, response = _answer(operation.member("responses"))
    answer, schema = parse_response(media_type, response)
    return Endpoint(
        method=method,
        parameters=_overridden(shared, own),
        files=distinct_mounts(files),
        response_media_type=answer,
        response_schema=schema,
        url=url,
        path=path,
        description=_description(operation),
    )


def _overridden(shared: tuple[Parameter, ...], own: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
    """A path's parameters and an operation's: the operation's win (section 4.7.9.1)."""
    parameters = {parameter.name: parameter for parameter in (*shared, *own)}
    return tuple(parameters.values())


def _answer(responses: Node) -> tuple[Node, Node]:
    """The media type and the schema of the first successful response with content."""
    for status, response in responses.members(RESPONSES_LIMIT):
        if not status.startswith("2") and status != "default":
            continue
        for media_type, content in response.member("content").members(MEDIA_TYPES_LIMIT):
            return Node(media_type, content.pointer), content.member("schema")
    return Node(None), Node(None)


def _description(operation: Node) -> str | None:
    return operation.member("description").prose(PROSE_LIMIT_CHARS) or operation.member(
        "summary"
    ).prose(PROSE_LIMIT_CHARS)

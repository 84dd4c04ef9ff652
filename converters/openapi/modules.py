"""Reads the OpenAPI description of a module: how each of its functions is called."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from converters.deployment import FUNCTIONS_LIMIT, Endpoint
from converters.errors import ConversionError
from converters.operation import find_operations, parse_operation
from converters.reading import IDENTIFIER, Node, read_document
from converters.references import resolve_references

PATHS_LIMIT = 1024
SERVERS_LIMIT = 64


class _FunctionPath(NamedTuple):
    """A path `…/modules/<module>/<function>`."""

    function: str
    module: str
    path: str
    item: Node


def parse_description(document: object, module_name: str) -> Mapping[str, Endpoint]:
    """The endpoints of a module's functions by their names. Raises ConversionError.

    The document describes one module, so where no path names that module (or a template such as
    `{module}`) those of any name are taken: some descriptions have the module's id there.
    """
    root = read_document(document)
    server = _server(root)
    paths = list(_function_paths(Node(resolve_references(root, "paths"), "/paths")))
    mine = [path for path in paths if path.module.startswith("{") or path.module == module_name]
    endpoints = {
        path.function: parse_operation(method, operation, path.item, server, path.path)
        for path in mine or paths
        for method, operation in list(find_operations(path.item))[:1]
    }
    if not endpoints:
        raise ConversionError("/paths", f"describes no function of module {module_name!r}")
    if len(endpoints) > FUNCTIONS_LIMIT:
        raise ConversionError("/paths", f"describes more than {FUNCTIONS_LIMIT} functions")
    return endpoints


def _function_paths(paths: Node) -> Iterator[_FunctionPath]:
    for path, item in paths.members(PATHS_LIMIT):
        match path.strip("/").split("/"):
            case [*_, "modules", module, function] if IDENTIFIER.fullmatch(function):
                yield _FunctionPath(function, module, path, item)


def _server(root: Node) -> str:
    """The first server's URL; "" where it is a template, which the caller's machine fills in."""
    for server in root.member("servers").elements(SERVERS_LIMIT):
        url: Any = server.member("url").value
        return url if isinstance(url, str) and url.startswith("http") and "{" not in url else ""
    return ""

"""Reads what manifests of every shape say of one module and of one function."""

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from converters.deployment import (
    ARGUMENTS_LIMIT,
    FILES_LIMIT,
    MOUNTS_LIMIT,
    TEXT_LIMIT_CHARS,
    VARIABLES_LIMIT,
    Endpoint,
    Function,
    ModuleEntry,
    Mount,
    Stage,
)
from converters.digests import parse_digests
from converters.endpoint import distinct_mounts, parse_endpoint
from converters.file_urls import is_name, parse_file_url
from converters.media_types import OCTET_STREAM, read_media_type
from converters.operation import find_operations, parse_operation
from converters.reading import Node

PATHS_LIMIT = 16


def parse_module(
    name: str, node: Node, files: dict[str, str], functions: Iterable[Function]
) -> ModuleEntry:
    """A module with its `files` and `functions`, which differ in where manifests have them."""
    module_id, description = node.member("id"), node.member("urls", "description")
    signature = node.member("urls", "signature")
    return ModuleEntry(
        id=name if module_id.is_null else module_id.identifier(),
        name=name,
        binary_url=parse_file_url(node.member("urls", "binary")),
        description_url=None if description.is_null else parse_file_url(description),
        files=files,
        functions={function.name: function for function in functions},
        is_stateless=node.member("stateless").value is True,
        is_isolated=node.member("isolated").value is True,
        environment=_environment(node.member("environment")),
        arguments=tuple(
            argument.text(TEXT_LIMIT_CHARS)
            for argument in node.member("arguments").elements(ARGUMENTS_LIMIT)
        ),
        digests=parse_digests(node, files),
        signature_url=None if signature.is_null else parse_file_url(signature),
    )


def _environment(node: Node) -> dict[str, str]:
    found = {}
    for name, value in node.members(VARIABLES_LIMIT):
        if "=" in Node(name, value.pointer).text(TEXT_LIMIT_CHARS):
            raise value.fail("the name of a variable has no = in it")
        found[name] = "" if value.value == "" else value.text(TEXT_LIMIT_CHARS)
    return found


def parse_data_files(other: Node) -> dict[str, str]:
    """The data files of a module: a map by their names, or a list of URLs that end in them."""
    if isinstance(other.value, list):
        urls = [(_basename(node), node) for node in other.elements(FILES_LIMIT)]
    else:
        urls = list(other.members(FILES_LIMIT))
    files: dict[str, str] = {}
    for name, node in urls:
        url = parse_file_url(node)
        if files.setdefault(Node(name, node.pointer).identifier(), url) != url:
            raise node.fail(f"another file is named {name!r} too")
    return files


def parse_function(
    name: str, path: str, endpoint: Node, instruction: Node, mounts: Node, files: Iterable[str]
) -> Function:
    """A function whose endpoint is the first that says something; `files` are its module's.

    `path` is where it is served if no endpoint says so.
    """
    found = _endpoint(endpoint, instruction, path)
    body = tuple(f for f in found.files if f.path not in files) if found else ()
    mounted = body if mounts.is_null else _mounts(mounts)
    if found:
        # A request body lists the files of the deployment too: the mounts decide what is sent.
        sent = tuple(mount for mount in mounted if mount.stage is Stage.EXECUTION)
        found = replace(found, files=sent)
    return Function(name, found, mounted, parse_next(instruction.member("to")))


def parse_next(node: Node) -> Endpoint | None:
    """The endpoint that gets a function's result, if one does."""
    if not node.value:
        return None
    endpoint = parse_endpoint(node)
    if not endpoint.url:
        raise node.member("url").fail("names no URL to send the result to")
    if urlsplit(endpoint.url).username is not None:
        # They would stand in the log, in the history and in what is told of a failure.
        raise node.member("url").fail("has credentials in it")
    return endpoint


def _basename(node: Node) -> str:
    if is_name(parse_file_url(node)):
        raise node.fail("a file that comes in its manifest has no name: make `other` an object")
    return unquote(urlsplit(node.url()).path).rpartition("/")[2]


def _endpoint(node: Node, instruction: Node, path: str) -> Endpoint | None:
    """How the function is called here, from whichever part of the manifest says it."""
    for candidate in (node, instruction.member("from")):
        if not candidate.is_null:
            endpoint = parse_endpoint(candidate)
            return replace(endpoint, path=endpoint.path or path)
    for _, path_item in instruction.member("paths").members(PATHS_LIMIT):
        for method, operation in find_operations(path_item):
            return parse_operation(method, operation, path_item, "", path)
    return None


def _mounts(node: Node) -> tuple[Mount, ...]:
    mounts = []
    for stage in Stage:
        for mount in node.member(stage).elements(MOUNTS_LIMIT):
            media_type = read_media_type(mount.member("media_type")) or OCTET_STREAM
            mounts.append(Mount(mount.member("path").identifier(), media_type, stage))
    return distinct_mounts(mounts)

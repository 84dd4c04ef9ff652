"""Reads a deployment manifest, in the orchestrator's current shape or the older one."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from converters.deployment import (
    FILES_LIMIT,
    FUNCTIONS_LIMIT,
    MODULES_LIMIT,
    MOUNTS_LIMIT,
    Deployment,
    Endpoint,
    Function,
    ModuleEntry,
    Mount,
    Stage,
)
from converters.endpoint import distinct_mounts, parse_endpoint
from converters.media_types import OCTET_STREAM, read_media_type
from converters.operation import find_operations, parse_operation
from converters.reading import Node, read_document

# More modules than are deployed here may be listed, and one may stand there twice.
LISTED_MODULES_LIMIT = 1024
PATHS_LIMIT = 16


def parse_manifest(document: object) -> Deployment:
    """The deployment that a manifest describes. Raises ConversionError.

    The older shape has no `endpoints` and no `mounts`: its instructions hold OpenAPI operations. It
    does not name the file that a function writes: such a function has a response that is not JSON,
    and no output mount.
    """
    root = read_document(document)
    if not root.is_object:
        raise root.fail("expected a manifest, which is an object")
    deployment_id = root.member("deploymentId").identifier()
    modules: dict[str, ModuleEntry] = {}
    listed = root.member("modules")
    for node in listed.elements(LISTED_MODULES_LIMIT):
        name = node.member("name").identifier()
        binary = node.member("urls", "binary")
        if name not in modules:
            modules[name] = _module(root, deployment_id, name, node)
        elif modules[name].binary_url != binary.url():
            raise binary.fail(f"another module is named {name!r} too")
    if not 0 < len(modules) <= MODULES_LIMIT:
        raise listed.fail(f"names {len(modules)} modules, from 1 to {MODULES_LIMIT} are allowed")
    return Deployment(deployment_id, tuple(modules.values()))


def _module(root: Node, deployment_id: str, name: str, node: Node) -> ModuleEntry:
    module_id, urls = node.member("id"), node.member("urls")
    description = urls.member("description")
    files = _files(urls.member("other"))
    path = f"/{deployment_id}/modules/{name}"
    return ModuleEntry(
        id=name if module_id.is_null else module_id.identifier(),
        name=name,
        binary_url=urls.member("binary").url(),
        description_url=None if description.is_null else description.url(),
        files=files,
        functions={f.name: f for f in _functions(root, name, path, frozenset(files))},
        is_stateless=node.member("stateless").value is True,
    )


def _files(other: Node) -> dict[str, str]:
    """The data files of a module: a map by their names, or a list of URLs that end in them."""
    if isinstance(other.value, list):
        urls = [(_basename(node), node) for node in other.elements(FILES_LIMIT)]
    else:
        urls = list(other.members(FILES_LIMIT))
    files: dict[str, str] = {}
    for name, node in urls:
        url = node.url()
        if files.setdefault(Node(name, node.pointer).identifier(), url) != url:
            raise node.fail(f"another file is named {name!r} too")
    return files


def _basename(node: Node) -> str:
    return unquote(urlsplit(node.url()).path).rpartition("/")[2]


def _functions(root: Node, module: str, path: str, files: frozenset[str]) -> Iterator[Function]:
    """Every function of the module that any part of the manifest speaks of."""
    endpoints = root.member("endpoints", module)
    instructions = root.member("instructions", "modules", module)
    mounts = root.member("mounts", module)
    names = {
        name: Node(name, node.pointer).identifier()
        for part in (endpoints, instructions, mounts)
        for name, node in part.members(FUNCTIONS_LIMIT)
    }
    if len(names) > FUNCTIONS_LIMIT:
        raise root.fail(f"names more than {FUNCTIONS_LIMIT} functions of {module!r}")
    for name in names:
        instruction, declared = instructions.member(name), mounts.member(name)
        endpoint = _endpoint(endpoints.member(name), instruction, f"{path}/{name}")
        body = tuple(f for f in endpoint.files if f.path not in files) if endpoint else ()
        found = body if declared.is_null else _mounts(declared)
        if endpoint:
            # A request body lists the files of the deployment too: the mounts decide what is sent.
            sent = tuple(mount for mount in found if mount.stage is Stage.EXECUTION)
            endpoint = replace(endpoint, files=sent)
        yield Function(name, endpoint, found, _next(instruction.member("to")))


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


def _next(node: Node) -> Endpoint | None:
    if not node.value:
        return None
    endpoint = parse_endpoint(node)
    if not endpoint.url:
        raise node.member("url").fail("names no URL to send the result to")
    return endpoint

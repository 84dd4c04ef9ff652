"""Reads a deployment manifest: the orchestrator's current shape, the older one or the newer one."""

from collections.abc import Iterator

from converters.deployment import (
    FUNCTIONS_LIMIT,
    MODULES_LIMIT,
    Deployment,
    Function,
    ModuleEntry,
)
from converters.file_urls import parse_file_url
from converters.manifest_parts import parse_data_files, parse_function, parse_module
from converters.reading import Node, read_document
from converters.sequence import is_sequence, parse_sequence

# More modules than are deployed here may be listed, and one may stand there twice.
LISTED_MODULES_LIMIT = 1024
# What an orchestrator's manifest says of the functions of its modules.
PARTS = ("endpoints", "instructions", "mounts")


def parse_manifest(document: object) -> Deployment:
    """The deployment that a manifest describes. Raises ConversionError.

    The older shape has no `endpoints` and no `mounts`: its instructions hold OpenAPI operations. It
    does not name the file that a function writes: such a function has a response that is not JSON,
    and no output mount. The newer shape is that of `converters.sequence`. A manifest may name nothing
    but its modules, and needs no id where that is one: then it is called as the module.
    """
    root = read_document(document)
    if not root.is_object:
        raise root.fail("expected a manifest, which is an object")
    if is_sequence(root):
        return parse_sequence(root)
    deployment_id = _deployment_id(root)
    modules: dict[str, ModuleEntry] = {}
    listed = root.member("modules")
    for node in listed.elements(LISTED_MODULES_LIMIT):
        name = node.member("name").identifier()
        binary = node.member("urls", "binary")
        if name not in modules:
            modules[name] = _module(root, deployment_id, name, node)
        elif modules[name].binary_url != parse_file_url(binary):
            raise binary.fail(f"another module is named {name!r} too")
    if not 0 < len(modules) <= MODULES_LIMIT:
        raise listed.fail(f"names {len(modules)} modules, from 1 to {MODULES_LIMIT} are allowed")
    return Deployment(deployment_id, tuple(modules.values()))


def _deployment_id(root: Node) -> str:
    """An orchestrator's manifest says how its functions are called, and is never without an id."""
    node, listed = root.member("deploymentId"), root.member("modules")
    if node.is_null and all(root.member(part).is_null for part in PARTS):
        modules = list(listed.elements(LISTED_MODULES_LIMIT))
        if len(modules) == 1:
            return modules[0].member("name").identifier()
    return node.identifier()


def _module(root: Node, deployment_id: str, name: str, node: Node) -> ModuleEntry:
    files = parse_data_files(node.member("urls", "other"))
    path = f"/{deployment_id}/modules/{name}"
    return parse_module(name, node, files, _functions(root, name, path, frozenset(files)))


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
        yield parse_function(
            name,
            f"{path}/{name}",
            endpoints.member(name),
            instructions.member(name),
            mounts.member(name),
            files,
        )

"""Reads the newer manifest: a whole deployment as a sequence of steps, of which some are for here.

    {"myId": <device>, "fullManifest": {"sequence": [
        {"deviceId", "deploymentId", "module": {"id", "name", "urls"}, "function", "endpoint",
         "instructions": {"from", "to"?}, "mounts"}]}}

A step's place in the sequence is its number in the chain. The same function may stand there more
than once, with another endpoint after it each time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from converters.deployment import FUNCTIONS_LIMIT, MODULES_LIMIT, Deployment, Function, ModuleEntry
from converters.file_urls import parse_file_url
from converters.manifest_parts import parse_data_files, parse_function, parse_module, parse_next
from converters.reading import Node

STEPS_LIMIT = 1024
DEVICE_ID_LIMIT_CHARS = 256


@dataclass(frozen=True, slots=True)
class Step:
    """A step that is for this device; `index` counts those of all devices."""

    index: int
    node: Node
    module: Node
    module_name: str
    function: str


def is_sequence(root: Node) -> bool:
    """Whether a manifest has the newer shape. A current one may have a `fullManifest` as well."""
    full = root.value.get("fullManifest")
    if not isinstance(full, dict) or not isinstance(full.get("sequence"), list):
        return False
    return root.value.get("myId") is not None or root.value.get("modules") is None


def parse_sequence(root: Node) -> Deployment:
    """The own part of a deployment. Raises ConversionError, also when there is none."""
    own = root.member("myId").text(DEVICE_ID_LIMIT_CHARS)
    sequence = root.member("fullManifest", "sequence")
    described = _described(sequence)
    steps = [
        _step(index, node, described)
        for index, node in enumerate(sequence.elements(STEPS_LIMIT))
        if node.member("deviceId").value == own
    ]
    if not steps:
        raise sequence.fail("no step is for the device of /myId")
    deployment_id = _deployment_id(steps)
    names = list(dict.fromkeys(step.module_name for step in steps))
    if len(names) > MODULES_LIMIT:
        raise sequence.fail(f"names {len(names)} modules, at most {MODULES_LIMIT} are allowed")
    modules = (
        _module(deployment_id, name, [step for step in steps if step.module_name == name])
        for name in names
    )
    return Deployment(deployment_id, tuple(modules))


def _described(sequence: Node) -> dict[str, Node]:
    """The modules that steps describe, by names and ids: other steps may only name them."""
    found: dict[str, Node] = {}
    for node in sequence.elements(STEPS_LIMIT):
        module = node.member("module")
        if module.is_object:
            for key in (module.value.get("name"), module.value.get("id")):
                if isinstance(key, str):
                    found.setdefault(key, module)
    return found


def _step(index: int, node: Node, described: Mapping[str, Node]) -> Step:
    module = node.member("module")
    if isinstance(module.value, str):
        if module.value not in described:
            raise module.fail("no step describes the module of this name")
        module = described[module.value]
    name = module.member("name").identifier()
    return Step(index, node, module, name, node.member("function").identifier())


def _deployment_id(steps: Sequence[Step]) -> str:
    deployment_id = steps[0].node.member("deploymentId").identifier()
    for step in steps:
        node = step.node.member("deploymentId")
        if node.value != deployment_id:
            raise node.fail(f"another step is of deployment {deployment_id!r}")
    return deployment_id


def _module(deployment_id: str, name: str, steps: Sequence[Step]) -> ModuleEntry:
    node = steps[0].module
    binary_url = parse_file_url(node.member("urls", "binary"))
    for step in steps:
        binary = step.module.member("urls", "binary")
        if parse_file_url(binary) != binary_url:
            raise binary.fail(f"another module is named {name!r} too")
    files = parse_data_files(node.member("urls", "other"))
    path = f"/{deployment_id}/modules/{name}"
    return parse_module(name, node, files, _functions(path, files, steps))


def _functions(path: str, files: dict[str, str], steps: Sequence[Step]) -> Iterator[Function]:
    names = list(dict.fromkeys(step.function for step in steps))
    if len(names) > FUNCTIONS_LIMIT:
        raise steps[0].module.fail(f"has more than {FUNCTIONS_LIMIT} functions")
    for name in names:
        places = [step for step in steps if step.function == name]
        first = places[0].node
        function = parse_function(
            name,
            f"{path}/{name}",
            first.member("endpoint"),
            first.member("instructions"),
            first.member("mounts"),
            files,
        )
        following = {
            step.index: parse_next(step.node.member("instructions", "to")) for step in places
        }
        yield replace(function, steps=following)

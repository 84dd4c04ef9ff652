"""The manifests and descriptions of examples/ say the same as each other and as the modules."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import wasmtime

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/description.json"))
MANIFESTS = sorted(EXAMPLES.glob("*/manifest*.json"))
# Called by the host for memory, and by no one else.
MEMORY_EXPORTS = {"alloc", "dealloc"}
# Address and length of a model and of the file of a request.
POINTERS = ["i32"] * 4
JSON_KINDS = {"i32": "int32", "i64": "int64", "f32": "float", "f64": "double"}


def load(path: Path) -> Any:
    return json.loads(path.read_text())


def exported_functions(name: str) -> dict[str, wasmtime.FuncType]:
    module = wasmtime.Module.from_file(wasmtime.Engine(), str(EXAMPLES / name / f"{name}.wasm"))
    return {
        export.name: export.type
        for export in module.exports
        if isinstance(export.type, wasmtime.FuncType) and export.name not in MEMORY_EXPORTS
    }


def described_operations(description: Any) -> dict[str, tuple[str, Any]]:
    return {
        path.rsplit("/", 1)[1]: next(
            (method, operation) for method, operation in item.items() if method != "parameters"
        )
        for path, item in description["paths"].items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_exported_function_is_described_with_its_types(name: str) -> None:
    operations = described_operations(load(EXAMPLES / name / "description.json"))
    functions = exported_functions(name)
    assert operations.keys() == functions.keys()
    for function, (_, operation) in operations.items():
        formats = [parameter["schema"]["format"] for parameter in operation["parameters"]]
        kinds = [str(kind) for kind in functions[function].params]
        takes_pointers = "requestBody" in operation and kinds == POINTERS
        assert formats == ([] if takes_pointers else [JSON_KINDS[kind] for kind in kinds])


@pytest.mark.parametrize("name", NAMES)
def test_the_manifest_says_what_the_description_says(name: str) -> None:
    operations = described_operations(load(EXAMPLES / name / "description.json"))
    manifest = load(EXAMPLES / name / "manifest.json")
    endpoints = manifest["endpoints"][name]
    assert endpoints.keys() == operations.keys() == manifest["mounts"][name].keys()
    for function, endpoint in endpoints.items():
        method, operation = operations[function]
        content = operation["responses"]["200"].get("content", {"application/json": {}})
        media_type = endpoint["response"]["media_type"]
        assert endpoint["method"] == method
        assert endpoint["request"]["parameters"] == operation["parameters"]
        assert endpoint["response"]["schema"] == content[media_type].get("schema", {})
        assert endpoint["path"] == f"/{manifest['deploymentId']}/modules/{name}/{function}"
        instruction = manifest["instructions"]["modules"][name][function]
        assert instruction == {"from": endpoint, "to": None}


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_address_in_a_manifest_is_a_file_under_examples(path: Path) -> None:
    (module,) = load(path)["modules"]
    for key in {"binary", "description"} & module["urls"].keys():
        address = urlsplit(module["urls"][key])
        assert address.netloc == "localhost:8000"
        assert (EXAMPLES / address.path.lstrip("/")).is_file()


@pytest.mark.parametrize("name", NAMES)
def test_every_example_explains_itself(name: str) -> None:
    readme = (EXAMPLES / name / "README.md").read_text()
    assert f"{name}/" in (EXAMPLES / "README.md").read_text()
    for function in exported_functions(name):
        assert function in readme

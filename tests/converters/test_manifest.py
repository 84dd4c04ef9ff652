"""Manifests of both shapes become deployments, or are refused with the place of the fault."""

from typing import Any

import pytest

from converters.deployment import Deployment, Function, ModuleEntry, Mount, Stage
from converters.errors import ConversionError
from converters.manifest import parse_manifest
from tests.manifests import NAMES, load_manifest

BAD_IDENTIFIERS = ["../../etc", "a/b", "", ".hidden", "-x", "x" * 10_000, "a\x00b", "a b", "ä", 5]
BAD_URLS = ["", "ftp://x/y", "file:///etc/passwd", "http://", "http://[", "http://x:99999/", "x"]
BAD_URLS += ["http://x/a b", "http://x/\r\nHost: y", f"http://x/{'y' * 2048}"]


def manifest_with(module: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    urls = {"binary": "http://host/m.wasm"}
    return {
        "deploymentId": "d1",
        "modules": [{"id": "m1", "name": "mod", "urls": urls} | (module or {})],
    } | members


def only_module(document: object) -> ModuleEntry:
    (module,) = parse_manifest(document).modules
    return module


def only_function(document: object) -> Function:
    (function,) = only_module(document).functions.values()
    return function


def pointer_of(document: object) -> str:
    with pytest.raises(ConversionError) as caught:
        parse_manifest(document)
    assert str(caught.value) == f"{caught.value.pointer}: {caught.value.message}"
    assert len(str(caught.value)) < 1000
    return caught.value.pointer


@pytest.mark.parametrize("name", NAMES)
def test_every_real_manifest_is_read(name: str) -> None:
    document = load_manifest(name)
    deployment = parse_manifest(document)
    assert isinstance(deployment, Deployment)
    assert deployment.id == document["deploymentId"]
    assert [m.name for m in deployment.modules] == [document["modules"][0]["name"]]
    assert all(f.endpoint for m in deployment.modules for f in m.functions.values())


def test_a_file_of_the_deployment_does_not_come_with_the_request() -> None:
    function = only_function(load_manifest("deploy-bytes-deploymount"))
    assert function.endpoint
    image = Mount("image.jpeg", "application/octet-stream", Stage.EXECUTION)
    assert function.endpoint.files == (image,)
    assert [mount.path for mount in function.at(Stage.DEPLOYMENT)] == ["table.bin"]
    assert function.endpoint.method == "post"
    assert function.endpoint.response_schema == {"type": "integer"}


def test_without_mounts_the_files_of_the_module_decide() -> None:
    document = load_manifest("deploy-bytes-deploymount")
    del document["mounts"]
    function = only_function(document)
    assert [(m.path, m.stage) for m in function.mounts] == [("image.jpeg", Stage.EXECUTION)]


def test_an_output_mount_is_a_file() -> None:
    function = only_function(load_manifest("deploy-bytes-invert"))
    assert function.endpoint
    assert function.endpoint.response_media_type == "image/jpeg"
    assert function.at(Stage.OUTPUT) == (Mount("result.jpeg", "image/jpeg", Stage.OUTPUT),)


def test_a_float_is_a_number() -> None:
    function = only_function(load_manifest("deploy-float"))
    assert function.endpoint
    assert [p.schema for p in function.endpoint.parameters] == [{"type": "number"}] * 2
    assert function.endpoint.response_schema == {"type": "number"}


def test_a_module_that_stands_there_twice_is_one() -> None:
    module = only_module(load_manifest("deploy-same-module-twice"))
    assert list(module.functions) == ["fibo", "subtract"]
    following = module.functions["fibo"].next
    assert following
    assert (following.url, following.path) == (
        "http://127.0.0.1:5001",
        "/6b0246754195de0afd6afd97/modules/fibo/subtract",
    )
    assert module.functions["subtract"].next is None


def test_two_modules_of_one_name_are_refused() -> None:
    document = manifest_with()
    other = {"id": "m2", "name": "mod", "urls": {"binary": "http://host/other.wasm"}}
    document["modules"].append(other)
    assert pointer_of(document) == "/modules/1/urls/binary"


def test_the_older_shape() -> None:
    function = only_function(load_manifest("old-fibo"))
    assert function.endpoint
    assert (function.endpoint.method, function.endpoint.url) == ("get", "")
    assert function.endpoint.path == "/0/modules/fiboMod/fibo"
    (parameter,) = function.endpoint.parameters
    assert (parameter.name, parameter.required) == ("iterations", True)
    assert parameter.schema == {"type": "integer", "format": "int64"}


def test_the_older_shape_lists_files_by_their_urls_and_inputs_among_the_parameters() -> None:
    module = only_module(load_manifest("old-mobilenet"))
    assert module.files == {"ml.pb": "http://localhost:8000/wasm-binaries/wasm32-wasi/ml.pb"}
    function = module.functions["infer_from_ptrs"]
    assert function.endpoint
    assert function.endpoint.parameters == ()
    assert [mount.path for mount in function.endpoint.files] == ["data"]
    assert function.mounts == function.endpoint.files


def test_the_older_shape_does_not_name_the_file_that_is_written() -> None:
    function = only_function(load_manifest("old-camera"))
    assert function.endpoint
    assert function.endpoint.response_media_type == "image/jpeg"
    assert function.mounts == ()


def test_nulls_and_unknown_members_are_tolerated() -> None:
    document = manifest_with(
        {"id": None, "urls": {"binary": "http://h/m", "description": None, "other": None}, "x": 1},
        endpoints=None,
        instructions={"modules": {"mod": None, "absent": {"f": {"to": None}}}},
        mounts={"mod": {"f": {"execution": None, "deployment": [None], "unheard": 5}}},
        fullManifest={"anything": [1.5, True]},
    )
    module = only_module(document)
    assert module.id == "mod"
    assert module.functions == {"f": Function("f", None, (), None)}


def test_a_media_type_may_be_any_text() -> None:
    mount = {"path": "in.bin", "media_type": "what ever", "stage": "execution"}
    endpoint = {"method": "POST", "response": {"media_type": "Image/PNG; q=1", "schema": None}}
    function = only_function(
        manifest_with(
            mounts={"mod": {"f": {"execution": [mount]}}}, endpoints={"mod": {"f": endpoint}}
        )
    )
    assert function.endpoint
    assert function.endpoint.files == (
        Mount("in.bin", "application/octet-stream", Stage.EXECUTION),
    )
    assert function.endpoint.response_media_type == "image/png; q=1"


@pytest.mark.parametrize("name", BAD_IDENTIFIERS, ids=lambda name: repr(name)[:20])
def test_names_that_are_no_identifiers_are_refused(name: Any) -> None:
    assert pointer_of(manifest_with() | {"deploymentId": name}) == "/deploymentId"
    assert pointer_of(manifest_with({"name": name})) == "/modules/0/name"
    assert pointer_of(manifest_with({"id": name})) == "/modules/0/id"
    mounts = {"mod": {"f": {"deployment": [{"path": name}]}}}
    assert pointer_of(manifest_with(mounts=mounts)) == "/mounts/mod/f/deployment/0/path"
    if isinstance(name, str):
        assert pointer_of(manifest_with(endpoints={"mod": {name: {}}})).startswith("/endpoints/mod")
        urls = {"binary": "http://h/m", "other": {name: "http://h/f"}}
        assert pointer_of(manifest_with({"urls": urls})).startswith("/modules/0/urls/other")


@pytest.mark.parametrize("url", BAD_URLS, ids=lambda url: repr(url)[:20])
def test_urls_that_are_not_http_are_refused(url: str) -> None:
    assert pointer_of(manifest_with({"urls": {"binary": url}})) == "/modules/0/urls/binary"
    urls = {"binary": "http://h/m", "other": [url]}
    assert pointer_of(manifest_with({"urls": urls})) == "/modules/0/urls/other/0"
    if url:
        instructions = {"modules": {"mod": {"f": {"to": {"url": url}}}}}
        document = manifest_with(instructions=instructions)
        assert pointer_of(document) == "/instructions/modules/mod/f/to/url"


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        (None, ""),
        ([], ""),
        ({}, "/deploymentId"),
        ({"deploymentId": "d"}, "/modules"),
        ({"deploymentId": "d", "modules": []}, "/modules"),
        ({"deploymentId": "d", "modules": {}}, "/modules"),
        ({"deploymentId": "d", "modules": [5]}, "/modules/0"),
        (manifest_with(endpoints=[1]), "/endpoints"),
        (manifest_with({"urls": {}}), "/modules/0/urls/binary"),
        (manifest_with({"urls": {"binary": "http://h/m", "other": ["http://h/"]}}),
         "/modules/0/urls/other/0"),
        (manifest_with(endpoints={"mod": {"f": {"method": "BREW"}}}), "/endpoints/mod/f/method"),
        (manifest_with(instructions={"modules": {"mod": {"f": {"to": {"path": "/x"}}}}}),
         "/instructions/modules/mod/f/to/url"),
        (manifest_with(deep=float("nan")), "/deep"),
        (manifest_with(deep=10**400), "/deep"),
        (manifest_with(text="\ud800"), "/text"),
        (manifest_with(python={1, 2}), "/python"),
    ],
)  # fmt: skip
def test_refusals_name_their_place(document: object, pointer: str) -> None:
    assert pointer_of(document) == pointer


def parameter(name: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": "integer"}}


@pytest.mark.parametrize("name", ["", "x" * 129, "a\nb", None, 5])
def test_parameter_names_are_checked(name: Any) -> None:
    endpoint = {"request": {"parameters": [parameter(name)]}}
    pointer = pointer_of(manifest_with(endpoints={"mod": {"f": endpoint}}))
    assert pointer == "/endpoints/mod/f/request/parameters/0/name"


def test_a_parameter_may_be_named_in_any_language_but_once() -> None:
    endpoint = {"request": {"parameters": [parameter("größe /m")]}}
    function = only_function(manifest_with(endpoints={"mod": {"f": endpoint}}))
    assert function.endpoint
    assert function.endpoint.parameters[0].name == "größe /m"
    endpoint["request"]["parameters"].append(parameter("größe /m"))
    pointer_of(manifest_with(endpoints={"mod": {"f": endpoint}}))


def nested(depth: int) -> Any:
    document: Any = {}
    for _ in range(depth):
        document = {"type": "array", "items": document}
    return document


def test_everything_is_bounded() -> None:
    modules = [{"name": f"m{i}", "urls": {"binary": "http://h/m"}} for i in range(65)]
    assert pointer_of({"deploymentId": "d", "modules": modules}) == "/modules"
    functions: dict[str, Any] = {f"f{i}": {} for i in range(257)}
    assert pointer_of(manifest_with(endpoints={"mod": functions})) == "/endpoints/mod"
    endpoint = {"request": {"parameters": [parameter(f"p{i}") for i in range(65)]}}
    assert pointer_of(manifest_with(endpoints={"mod": {"f": endpoint}})).endswith("parameters")
    mounts = {"output": [{"path": f"p{i}"} for i in range(65)]}
    assert pointer_of(manifest_with(mounts={"mod": {"f": mounts}})) == "/mounts/mod/f/output"
    endpoint = {"response": {"schema": nested(20)}}
    assert "schema" in pointer_of(manifest_with(endpoints={"mod": {"f": endpoint}}))
    pointer_of(manifest_with(deep=nested(5000)))
    pointer_of(manifest_with(wide=[0] * 200_000))
    pointer_of(manifest_with() | {"x" * 2000: 1})

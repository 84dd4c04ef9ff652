"""The newer manifest: the own steps of a deployment that was made for several devices."""

import contextlib
import copy
import json
from typing import Any

import pytest

from converters.deployment import Deployment, Stage
from converters.errors import ConversionError
from converters.manifest import parse_manifest
from tests.converters.test_hostile import NASTY, places, replaced
from tests.manifests import load_manifest

DEVICES = ("deploy-chain-fibo-fibo-device1", "deploy-chain-fibo-fibo-device2")


def step_of(manifest: dict[str, Any], device: str, module: str, function: str) -> dict[str, Any]:
    """The step of the newer shape that says what a current manifest says of a function."""
    (entry,) = (each for each in manifest["modules"] if each["name"] == module)
    return {
        "deviceId": device,
        "deploymentId": manifest["deploymentId"],
        "module": entry,
        "function": function,
        "endpoint": manifest["endpoints"][module][function],
        "instructions": manifest["instructions"]["modules"][module][function],
        "mounts": manifest["mounts"][module][function],
    }


def chain_document(my_id: str | None = "device1") -> dict[str, Any]:
    """The chain of the real manifests, with a third step that is the first again."""
    first, second = (load_manifest(name) for name in DEVICES)
    steps = [
        step_of(first, "device1", "fibo", "fibo"),
        step_of(second, "device2", "stateful_fibo", "fibo"),
        step_of(first, "device1", "fibo", "fibo"),
    ]
    steps[1]["instructions"]["to"] = copy.deepcopy(steps[0]["endpoint"])
    steps[2] = copy.deepcopy(steps[2])
    del steps[2]["instructions"]["to"]
    return {
        "_id": "6b0245d64195de0afd6afcc8",
        "name": "a chain",
        "active": True,
        "validationError": None,
        "sequence": [{"device": "device1", "module": "x", "func": "fibo"}],
        "fullManifest": {"sequence": steps},
        "myId": my_id,
    }


def parsed(document: Any) -> Deployment:
    deployment = parse_manifest(document)
    assert isinstance(deployment, Deployment)
    return deployment


def pointer_of(document: Any) -> str:
    with pytest.raises(ConversionError) as caught:
        parse_manifest(document)
    return caught.value.pointer


def test_only_the_own_steps_are_deployed() -> None:
    deployment = parsed(chain_document())
    assert deployment.id == "6b0245d64195de0afd6afcc8"
    (module,) = deployment.modules
    assert (module.name, module.binary_url) == (
        "fibo",
        "http://127.0.0.1:3000/file/module/6b0245d64195de0afd6afcb4/wasm",
    )
    (function,) = module.functions.values()
    assert function.endpoint
    assert [p.name for p in function.endpoint.parameters] == ["param0"]
    (other,) = parsed(chain_document("device2")).modules
    assert other.name == "stateful_fibo"
    assert list(other.functions["fibo"].steps) == [1]


def test_the_same_function_stands_there_twice_with_something_else_after_it() -> None:
    (module,) = parsed(chain_document()).modules
    function = module.functions["fibo"]
    assert list(function.steps) == [0, 2]
    assert function.steps[0] == function.next
    assert function.next
    assert function.next.path.endswith("/stateful_fibo/fibo")
    assert function.steps[2] is None


def test_it_says_what_the_current_shape_says() -> None:
    for name, device in zip(DEVICES, ("device1", "device2"), strict=True):
        current = load_manifest(name)
        module = current["modules"][0]["name"]
        step = step_of(current, device, module, "fibo")
        newer = parsed({"myId": device, "fullManifest": {"sequence": [step]}})
        expected = parsed(current).modules[0].functions["fibo"]
        found = newer.modules[0].functions["fibo"]
        assert (found.endpoint, found.mounts, found.next) == (
            expected.endpoint,
            expected.mounts,
            expected.next,
        )


def test_files_and_mounts_of_a_step() -> None:
    current = load_manifest("deploy-bytes-deploymount")
    module = current["modules"][0]["name"]
    (name,) = current["endpoints"][module]
    step = step_of(current, "me", module, name)
    # Some write the request's body in the manner of OpenAPI.
    step["endpoint"]["request"]["requestBody"] = step["endpoint"]["request"].pop("request_body")
    (found,) = parsed({"myId": "me", "fullManifest": {"sequence": [step]}}).modules
    assert list(found.files) == ["table.bin"]
    function = found.functions[name]
    assert function.endpoint
    assert [f.path for f in function.endpoint.files] == ["image.jpeg"]
    assert [f.path for f in function.at(Stage.DEPLOYMENT)] == ["table.bin"]


def test_nulls_and_unknown_members_are_tolerated() -> None:
    document = chain_document()
    document["fullManifest"]["sequence"].insert(0, None)
    step = document["fullManifest"]["sequence"][1]
    step |= {"mounts": None, "endpoint": None, "unheard": [1], "module": {**step["module"]}}
    step["module"] |= {"id": None, "exports": [{"name": "fibo"}]}
    step["module"]["urls"] = {**step["module"]["urls"], "description": None, "other": None}
    (module,) = parsed(document).modules
    assert module.id == "fibo"
    assert module.functions["fibo"].endpoint
    assert list(module.functions["fibo"].steps) == [0, 2]


def test_a_module_may_be_named_where_another_step_describes_it() -> None:
    document = chain_document()
    document["fullManifest"]["sequence"][2]["module"] = "fibo"
    (module,) = parsed(document).modules
    assert list(module.functions["fibo"].steps) == [0, 2]
    document["fullManifest"]["sequence"][2]["module"] = "unheard"
    assert pointer_of(document) == "/fullManifest/sequence/2/module"


def test_a_current_manifest_with_a_full_one_beside_it_stays_current() -> None:
    document = {**load_manifest(DEVICES[0]), "fullManifest": {"sequence": []}}
    assert parsed(document) == parsed(load_manifest(DEVICES[0]))


@pytest.mark.parametrize(
    ("path", "value", "pointer"),
    [
        (("myId",), "elsewhere", "/fullManifest/sequence"),
        (("myId",), None, "/myId"),
        (("myId",), 7, "/myId"),
        (("fullManifest", "sequence", 0, "deploymentId"), "../x", "/0/deploymentId"),
        (("fullManifest", "sequence", 2, "deploymentId"), "other", "/2/deploymentId"),
        (("fullManifest", "sequence", 0, "function"), "a/b", "/0/function"),
        (("fullManifest", "sequence", 0, "module"), [1], "/0/module"),
        (("fullManifest", "sequence", 0, "module", "name"), "..", "/0/module/name"),
        (("fullManifest", "sequence", 1), "a step", "/sequence/1"),
    ],
)
def test_a_faulty_sequence_is_refused(
    path: tuple[str | int, ...], value: object, pointer: str
) -> None:
    document = copy.deepcopy(chain_document())
    place: Any = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    assert pointer_of(document).endswith(pointer)


def test_every_place_replaced_by_every_nasty_value() -> None:
    document = json.loads(json.dumps(chain_document()))
    for path in places(document):
        for value in NASTY:
            with contextlib.suppress(ConversionError):
                parsed(replaced(document, path, value))


def test_two_modules_of_one_name_are_refused() -> None:
    document = copy.deepcopy(chain_document())
    document["fullManifest"]["sequence"][2]["module"]["urls"]["binary"] = "http://host/other"
    assert pointer_of(document).endswith("/2/module/urls/binary")


@pytest.mark.parametrize("url", ["http://user:secret@host", "file:///etc/passwd", "", "//host"])
def test_a_next_endpoint_is_an_http_url_without_credentials(url: str) -> None:
    document = copy.deepcopy(chain_document())
    document["fullManifest"]["sequence"][0]["instructions"]["to"]["url"] = url
    assert pointer_of(document).endswith("/0/instructions/to/url")

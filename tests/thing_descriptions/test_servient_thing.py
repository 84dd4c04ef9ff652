"""The Thing of the servient itself."""

import json
from typing import Any

from jsonschema import Draft7Validator

from tests.manifests import NAMES, load_manifest
from thing_descriptions import vocabulary
from thing_descriptions.models import SERVIENT_MODEL, load_model
from thing_descriptions.servient_thing import servient_td
from thing_descriptions.validator import lint_td, validate_td


def deploy_input() -> Draft7Validator:
    return Draft7Validator(servient_td("n", "i")["actions"]["deploy"]["input"])


def test_it_is_a_directory_with_the_names_given() -> None:
    description = servient_td('Living "room"', "pi 4:a/b")
    assert description["title"] == 'Living "room"'
    assert description["id"] == "urn:wasm-servient:pi%204%3Aa%2Fb"
    assert description["@type"] == [vocabulary.DIRECTORY_TYPE, vocabulary.SERVIENT_TYPE]
    assert validate_td(description, partial=True) == []
    assert lint_td(description) == []


def test_it_offers_what_the_model_describes() -> None:
    model, description = load_model(SERVIENT_MODEL), servient_td("n", "i")
    for kind in ("properties", "actions", "events"):
        assert json.dumps(description[kind]) == json.dumps(model[kind])
    assert set(description["properties"]) == {
        "deployments",
        "health",
        "invocations",
        "platform",
        "things",
    }


def test_every_real_manifest_can_be_deployed() -> None:
    for name in NAMES:
        assert deploy_input().is_valid(load_manifest(name)), name


def test_nulls_and_unknown_members_are_tolerated() -> None:
    urls = {"binary": "http://h/m", "description": None, "other": None, "more": 1}
    manifest: dict[str, Any] = {
        "deploymentId": "d",
        "modules": [{"id": None, "name": "m", "urls": urls, "more": 1}],
        "endpoints": None,
        "more": None,
    }
    assert deploy_input().is_valid(manifest)


def test_what_is_no_manifest_is_not_accepted() -> None:
    module = {"name": "m", "urls": {"binary": "http://h/m"}}
    for manifest in (
        {"deploymentId": "../x", "modules": [module]},
        {"deploymentId": "d", "modules": []},
        {"deploymentId": "d", "modules": [{"name": "m"}]},
        {"deploymentId": "d", "modules": [module], "mounts": []},
        {"myId": "d", "fullManifest": []},
    ):
        assert not deploy_input().is_valid(manifest), manifest

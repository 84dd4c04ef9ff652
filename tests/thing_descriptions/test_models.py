"""The Thing Models, and what is made of them."""

import json

import pytest

from thing_descriptions import vocabulary
from thing_descriptions.models import (
    MODULE_MODEL,
    SERVIENT_MODEL,
    fill,
    instantiate,
    load_model,
)


@pytest.mark.parametrize("name", [MODULE_MODEL, SERVIENT_MODEL])
def test_models_declare_our_vocabulary(name: str) -> None:
    model = load_model(name)
    further = [vocabulary.DISCOVERY_CONTEXT] if name == SERVIENT_MODEL else []
    assert model["@context"] == vocabulary.context(*further)
    assert "tm:ThingModel" in model["@type"]


def test_own_terms_are_those_of_the_vocabulary() -> None:
    action = load_model(MODULE_MODEL)["actions"]["function"]
    own = {name for name in action if name.startswith("wasm:")}
    assert own == {
        vocabulary.FUNCTION,
        vocabulary.RESULT_PROPERTY,
        vocabulary.COMPLETED_EVENT,
        vocabulary.FAILED_EVENT,
    }


def test_a_placeholder_is_replaced_once() -> None:
    template = {"a": ["{{X}} and {{Y}}"], "n": 1}
    assert fill(template, {"X": "{{Y}}", "Y": "z"}) == {"a": ["{{Y}} and z"], "n": 1}


def test_a_placeholder_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        fill("{{X}}", {})


def test_an_instance_is_no_model_and_no_part_of_it() -> None:
    model = load_model(SERVIENT_MODEL)
    before = json.dumps(dict(model))
    document = instantiate(model, {"SERVIENT_NAME": "n", "SERVIENT_ID": "i"})
    assert "tm:ThingModel" not in document["@type"]
    assert not any(name.startswith("tm:") for name in document)
    document["properties"]["health"]["forms"] = [{"href": "x"}]
    assert json.dumps(dict(model)) == before

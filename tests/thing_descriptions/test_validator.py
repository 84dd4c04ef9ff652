"""What the validator finds wrong with a Thing Description."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.converters.test_hostile import json_values, places, replaced
from thing_descriptions.servient_thing import servient_td
from thing_descriptions.validator import lint_td, validate_td

THING: dict[str, Any] = {
    "@context": ["https://www.w3.org/2022/wot/td/v1.1", {"own": "urn:x#"}],
    "title": "Thing",
    "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
    "security": "nosec_sc",
    "actions": {
        "act": {
            "synchronous": True,
            "input": {"type": "object", "properties": {"a:b": {"type": "string"}}},
            "own:term": 1,
            "forms": [{"href": "http://h/act", "htv:methodName": "POST"}],
        }
    },
}


def with_act(**members: Any) -> dict[str, Any]:
    document = copy.deepcopy(THING)
    document["actions"]["act"] |= members
    return document


def test_a_good_one_has_no_faults() -> None:
    assert validate_td(THING) == []
    assert lint_td(THING) == []


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (5, ": a Thing Description is a JSON object"),
        ({}, ": 'title' is a required property"),
        ({**THING, "title": 5}, "/title: 5 is not of type 'string'"),
        ({**THING, "security": "basic"}, "/security: 'basic' is not in securityDefinitions"),
        (with_act(forms=[{"href": "http://h/", "security": ["x"]}]),
         "/actions/act/forms/0/security: 'x' is not in securityDefinitions"),
        (with_act(forms=[]), "/actions/act: has no forms"),
        (with_act(output={"type": "string", "pattern": "("}), "/actions/act/output/pattern: "),
        (with_act(output={"type": "float"}), "/actions/act/output/type: "),
        (with_act(**{"cov:method": 1}),
         "/actions/act/cov:method: the prefix of 'cov:method' is not declared in @context"),
        ({**THING, "@type": ["saref:Light"]}, "/@type: the prefix of 'saref:Light' "),
    ],
)  # fmt: skip
def test_faults_are_found(document: Any, fault: str) -> None:
    assert validate_td(document)[0].startswith(fault)


def test_a_partial_one_needs_no_forms() -> None:
    document = with_act()
    del document["actions"]["act"]["forms"]
    assert validate_td(document, partial=True) == []
    assert validate_td(document) == ["/actions/act: has no forms"]


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (with_act(description=None), "/actions/act/description: None is not of type 'string'"),
        (with_act(**{"own:term": None}), "/actions/act/own:term: is null"),
        (with_act(output={"type": "string", "oneOf": []}),
         "/actions/act/output/oneOf: is an empty array"),
        (with_act(output={"title": "x"}), "/actions/act/output: has no type"),
        ({**THING, "actions": {"a b": THING["actions"]["act"]}},
         "/actions/a b: the name is not of letters, digits, '_' and '-'"),
        ({**THING, "events": {"ACT": {}}}, "/events/ACT: another affordance has this name"),
        ({**THING, "actions": {"act": {}}},
         "/actions/act: does not say whether it is synchronous"),
    ],
)  # fmt: skip
def test_lapses_are_found(document: Any, fault: str) -> None:
    assert lint_td(document) == [fault]


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_document_is_judged(data: st.DataObject) -> None:
    document = servient_td("n", "i")
    path = data.draw(st.sampled_from(list(places(document))))
    document = replaced(document, path, data.draw(json_values))
    assert all(isinstance(fault, str) for fault in validate_td(document) + lint_td(document))

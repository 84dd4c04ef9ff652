"""The forms of the binding, as a function of an affordance."""

from typing import Any

import pytest

from servient.bindings.http.forms import to_forms
from servient.wot.description import Affordance
from servient.wot.operations import AffordanceKind

URL = "http://host:1/x"
FILE = {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"}


def forms(kind: AffordanceKind, definition: dict[str, Any]) -> list[dict[str, Any]]:
    return to_forms(URL, Affordance(kind, "x", definition))


@pytest.mark.parametrize(
    ("definition", "operations"),
    [
        ({}, ["readproperty", "writeproperty"]),
        ({"readOnly": True}, ["readproperty"]),
        ({"writeOnly": True}, ["writeproperty"]),
    ],
)
def test_a_property_has_a_form_for_what_it_offers(
    definition: dict[str, Any], operations: list[str]
) -> None:
    found = forms(AffordanceKind.PROPERTY, {"type": "integer", **definition})
    assert [form["op"] for form in found] == operations
    methods = {"readproperty": "GET", "writeproperty": "PUT"}
    assert all(form["htv:methodName"] == methods[form["op"]] for form in found)


def test_notifications_are_polled_or_streamed_at_one_place() -> None:
    property_forms = forms(AffordanceKind.PROPERTY, {**FILE, "readOnly": True, "observable": True})
    for poll, stream in (property_forms[1:3], forms(AffordanceKind.EVENT, {"data": FILE})):
        assert (poll["subprotocol"], stream["subprotocol"]) == ("longpoll", "sse")
        assert poll["href"] == stream["href"]
        assert poll["contentType"] == "image/png"
        assert stream["contentType"] == "application/json"
        assert "htv:methodName" not in poll


def media_types(definition: dict[str, Any]) -> list[tuple[str, str | None]]:
    found = forms(AffordanceKind.ACTION, definition)
    assert all(form["op"] == "invokeaction" and form["href"] == URL for form in found)
    return [(form["contentType"], form.get("response", {}).get("contentType")) for form in found]


JSON, FORM, PNG = "application/json", "multipart/form-data", "image/png"
NUMBER = {"type": "number"}


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ({}, [(JSON, None)]),
        ({"input": NUMBER, "output": NUMBER}, [(JSON, None)]),
        ({"output": FILE}, [(JSON, PNG), (JSON, None)]),
        ({"input": FILE}, [(JSON, None), (PNG, None)]),
        (
            {"input": {"type": "object", "properties": {"a": FILE, "n": NUMBER}}, "output": FILE},
            [(JSON, PNG), (PNG, None), (FORM, PNG), (JSON, None)],
        ),
        (
            {"input": {"properties": {"a": FILE, "n": NUMBER}, "required": ["a", "n"]}},
            [(JSON, None), (FORM, None)],
        ),
        ({"input": {"properties": {"a": FILE, "b": FILE}}}, [(JSON, None), (FORM, None)]),
        (
            {"input": {"properties": {"a": FILE}}, "output": NUMBER},
            [(JSON, None), (PNG, JSON), (FORM, JSON)],
        ),
    ],
)
def test_an_action_has_a_form_for_each_media_type(
    definition: dict[str, Any], expected: list[tuple[str, str | None]]
) -> None:
    assert media_types(definition) == expected


def test_a_file_is_also_to_be_had_in_json() -> None:
    accepts = [{"htv:fieldName": "Accept", "htv:fieldValue": "application/json"}]
    read, write, *others, read_json, write_json = forms(AffordanceKind.PROPERTY, FILE)
    assert others == []
    assert read_json == {**read, "contentType": JSON, "htv:headers": accepts}
    assert write_json == {**write, "contentType": JSON}
    invoke = forms(AffordanceKind.ACTION, {"output": FILE})[-1]
    assert (invoke["contentType"], invoke["htv:headers"]) == (JSON, accepts)

"""What a TD says about CoAP."""

from typing import Any

import pytest

from servient.bindings.coap.binding import CoapBinding
from servient.wot.description import Description
from tests.bindings.coap.serving import serve
from tests.things import TD
from thing_descriptions.validator import validate_td

ORIGIN = "coap://things.example:5683/things/lamp:1"


@pytest.fixture
def forms() -> dict[str, list[dict[str, Any]]]:
    binding = CoapBinding("things.example")
    description = Description(TD, "lamp:1")
    return {affordance.name: binding.forms(description, affordance) for affordance in description}


def test_a_property(forms: dict[str, Any]) -> None:
    common = {"href": f"{ORIGIN}/properties/level", "contentType": "application/json"}
    assert forms["level"] == [
        {**common, "op": "readproperty", "cov:method": "GET"},
        {**common, "op": "writeproperty", "cov:method": "PUT"},
        {
            **common,
            "op": ["observeproperty", "unobserveproperty"],
            "cov:method": "GET",
            "subprotocol": "cov:observe",
        },
    ]
    assert [form["op"] for form in forms["serial"]] == ["readproperty"]


def test_a_file_is_offered_as_it_is_and_as_json(forms: dict[str, Any]) -> None:
    as_file = [form for form in forms["picture"] if form["contentType"] == "image/png"]
    as_json = [form for form in forms["picture"] if form["contentType"] == "application/json"]
    assert forms["picture"] == as_file + as_json
    assert [form["op"] for form in as_json] == [form["op"] for form in as_file]
    assert {form["cov:accept"] for form in as_json} == {50}


def test_an_action(forms: dict[str, Any]) -> None:
    assert forms["double"] == [
        {
            "href": f"{ORIGIN}/actions/double",
            "op": "invokeaction",
            "contentType": "application/json",
            "cov:method": "POST",
        }
    ]


def test_an_action_on_a_file(forms: dict[str, Any]) -> None:
    as_json, as_file, both_json = forms["invert"]
    assert both_json == {
        **{name: member for name, member in as_json.items() if name != "response"},
        "cov:accept": 50,
    }
    assert as_json["contentType"] == "application/json"
    assert as_json["response"] == {"contentType": "image/png"}
    assert as_file["contentType"] == "image/png"
    assert "response" not in as_file


def test_an_event(forms: dict[str, Any]) -> None:
    assert forms["toggled"] == [
        {
            "href": f"{ORIGIN}/events/toggled",
            "op": ["subscribeevent", "unsubscribeevent"],
            "contentType": "application/json",
            "cov:method": "GET",
            "subprotocol": "cov:observe",
        }
    ]


def test_a_type_without_a_number_is_called_what_it_travels_as() -> None:
    film = {"type": "string", "contentEncoding": "base64", "contentMediaType": "video/mp4"}
    td = {**TD, "properties": {"film": film}}
    description = Description(td, "lamp:1")
    (affordance,) = (a for a in description if a.name == "film")
    forms = CoapBinding("things.example").forms(description, affordance)
    assert forms[0]["contentType"] == "application/octet-stream"


async def test_the_complete_td_is_valid_and_names_the_real_port() -> None:
    async with serve(public_host="2001:db8::1", host="127.0.0.1") as serving:
        td = serving.servient.td(serving.lamp)
        assert validate_td(td) == []
        href = td["events"]["toggled"]["forms"][0]["href"]
        assert href.startswith(f"coap://[2001:db8::1]:{serving.binding.port}/things/")
        assert serving.binding.port != 0


async def test_wotpys_way_to_ask() -> None:
    async with serve() as serving:
        base = serving.binding.build_base_url("x", serving.lamp.thing)
        assert base == f"coap://127.0.0.1:{serving.binding.port}/things/lamp:1"
        level = serving.lamp.thing.properties["level"]
        assert level.thing is serving.lamp.thing
        (read, *_) = serving.binding.build_forms("x", level)
        assert read.href == f"{base}/properties/level"

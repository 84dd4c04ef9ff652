"""Forms: what the binding document wants, and what consumers read."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from servient.bindings.mqtt.binding import MqttBinding
from servient.wot.entry import WoT
from servient.wot.servient import Servient
from tests.things import expose_lamp
from thing_descriptions.validator import lint_td, validate_td

BASE = "wasm-servient/test/things/lamp:1"


@pytest.fixture
def td() -> dict[str, Any]:
    servient = Servient()
    servient.add_server(MqttBinding("broker.example", 1884, prefix="wasm-servient/test"))
    return servient.td(expose_lamp(WoT(servient)))


def test_the_description_is_valid(td: dict[str, Any]) -> None:
    assert validate_td(td) == []
    assert lint_td(td) == []


def test_url_and_topic_say_the_same(td: dict[str, Any]) -> None:
    for kind in ("properties", "actions", "events"):
        for affordance in td[kind].values():
            for form in affordance["forms"]:
                url = urlsplit(form["href"])
                assert (url.scheme, url.netloc) == ("mqtt", "broker.example:1884")
                is_heard = form["mqv:controlPacket"] == "subscribe"
                assert url.path == "/" + form["mqv:filter" if is_heard else "mqv:topic"]
                assert form["mqv:qos"] == "1"


def test_an_observable_property_is_retained(td: dict[str, Any]) -> None:
    retained, read, write = td["properties"]["level"]["forms"]
    assert retained["op"] == ["readproperty", "observeproperty", "unobserveproperty"]
    assert retained["mqv:filter"] == f"{BASE}/properties/level"
    assert retained["mqv:retain"] is True
    assert retained["wasm:statusTopic"] == f"{BASE}/status"
    assert (read["op"], read["mqv:topic"]) == ("readproperty", f"{BASE}/properties/level/read")
    assert (write["op"], write["mqv:topic"]) == ("writeproperty", f"{BASE}/properties/level/write")
    assert write["wasm:requestTopic"] == f"{BASE}/properties/level/write/{{request}}"


def test_a_property_that_cannot_be_observed_is_asked_for(td: dict[str, Any]) -> None:
    [read] = td["properties"]["serial"]["forms"]
    assert read["op"] == "readproperty"


def test_an_event_is_subscribed_to(td: dict[str, Any]) -> None:
    [form] = td["events"]["toggled"]["forms"]
    assert form["op"] == ["subscribeevent", "unsubscribeevent"]
    assert form["mqv:filter"] == f"{BASE}/events/toggled"
    assert "mqv:retain" not in form


def test_a_file_has_its_own_media_type(td: dict[str, Any]) -> None:
    assert td["properties"]["picture"]["forms"][0]["contentType"] == "image/png"
    as_json, as_file = td["actions"]["invert"]["forms"]
    assert (as_json["contentType"], as_json["response"]) == (
        "application/json",
        {"contentType": "image/png"},
    )
    assert as_file["contentType"] == "image/png"


def test_an_ipv6_address_is_bracketed() -> None:
    binding = MqttBinding("::1", 1883, prefix="p")
    assert binding.build_base_url("", None) == "mqtt://[::1]:1883/p"


def test_consumers_may_know_the_broker_by_another_name() -> None:
    binding = MqttBinding("10.0.0.1", 1883, prefix="p", public_host="broker", public_port=8883)
    assert binding.origin == "mqtt://broker:8883"

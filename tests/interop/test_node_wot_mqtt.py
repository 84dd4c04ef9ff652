"""node-wot consumes our Things over MQTT.

It sends MQTT 3.1.1 requests that nobody can answer: an action's output is seen as the change of its
result property and in its event, a refusal not at all.
"""

import base64
from collections.abc import AsyncIterator

import pytest

from servient.bindings.mqtt.binding import MqttBinding
from servient.bindings.mqtt.broker import EmbeddedBroker, Kind
from servient.wot.content import Content
from tests.interop.node_wot import (
    Answer,
    Step,
    consume,
    invoke,
    observe,
    read,
    stop,
    subscribe,
    values,
    write,
)
from tests.interop.serving import Lamp, serving
from tests.tools import needs

IMAGE = bytes(range(256))
# Where nothing is said, mosquitto: amqtt delivers what is retained more than once.
ANY_BROKER = pytest.mark.parametrize("lamp", ["mosquitto", "amqtt"], indirect=True)


@pytest.fixture
async def lamp(request: pytest.FixtureRequest) -> AsyncIterator[Lamp]:
    kind: Kind = getattr(request, "param", "mosquitto")
    if kind == "mosquitto":
        needs("mosquitto")
    async with EmbeddedBroker("127.0.0.1", 0, prefer=kind) as broker:
        binding = MqttBinding(broker.host, broker.port, prefix="home/servient")
        async with serving(binding) as lamp:
            yield lamp


async def told(lamp: Lamp, *steps: Step) -> list[Answer]:
    return await consume("mqtt", lamp.td, *steps)


@ANY_BROKER
async def test_reads_what_is_retained(lamp: Lamp) -> None:
    lamp.thing.set_property("picture", Content(IMAGE, "image/png"))
    lamp.thing.set_property("settings", {"error": "none"})
    assert await told(
        lamp,
        read("level"),
        read("settings"),
        read("picture", **{"as": "bytes"}),
        read("level"),
    ) == [
        {"ok": 3},
        {"ok": {"error": "none"}},
        {"ok": base64.b64encode(IMAGE).decode()},
        {"ok": 3},
    ]


async def test_observes_what_it_writes(lamp: Lamp) -> None:
    answers = await told(
        lamp,
        observe("level"),
        values("level"),
        write("level", 5),
        values("level"),
        write("level", 101),
        write("level", 6),
        values("level"),
        stop("level"),
        read("level"),
    )
    assert [answer["ok"] for answer in answers if answer["ok"]] == [[3], [5], [6], 6]


@ANY_BROKER
async def test_sees_the_outcomes_of_what_it_invokes(lamp: Lamp) -> None:
    steps = [
        observe("double_result"),
        subscribe("double_completed"),
        subscribe("double_failed"),
        subscribe("toggled"),
        invoke("double", {"number": 21}),
        invoke("double", {"number": -1}),
        invoke("toggle"),
    ]
    answers = await told(
        lamp,
        *steps,
        values("double_result"),
        values("double_completed"),
        values("double_failed"),
        values("toggled"),
        stop("toggled"),
    )
    results, completed, failed, toggled, stopped = (
        answer["ok"] for answer in answers[len(steps) :]
    )
    assert results == [42]
    assert completed[0]["output"] == 42
    assert "negative numbers are not for lamps" in failed[0]["detail"]
    assert toggled == [True]
    assert stopped is None

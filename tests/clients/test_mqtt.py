"""Programs that consume Things over MQTT through WoTPy's API, with our client."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from wotpy.protocols.exceptions import ClientRequestTimeout, FormNotFoundException

from servient.bindings.mqtt.binding import MqttBinding
from servient.bindings.mqtt.broker import EmbeddedBroker
from servient.clients.errors import InteractionRefused
from servient.clients.mqtt import MqttClient
from servient.mqtt.errors import BrokerUnreachable, MqttError
from servient.wot.content import Content
from servient.wot.entry import WoT
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing
from tests.consumers.paho import PahoClient
from tests.things import expose_lamp
from tests.tools import needs

DEADLINE_SECONDS = 20.0


@dataclass
class World:
    """A lamp that is served, and a program on another servient that consumes it."""

    broker: EmbeddedBroker
    servient: Servient
    lamp: ExposedThing
    td: dict[str, Any]
    client: MqttClient
    wot: WoT

    def consume(self, change: Callable[[dict[str, Any]], None] = lambda td: None) -> Any:
        td = json.loads(json.dumps(self.td))
        change(td)
        return self.wot.consume(json.dumps(td))


@pytest.fixture(params=["mosquitto", "amqtt"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """With MQTT 5 over mosquitto, and 3.1.1 over amqtt."""
    if request.param == "mosquitto":
        needs("mosquitto")
    async with EmbeddedBroker(prefer=request.param) as broker:
        servient = Servient()
        servient.add_server(MqttBinding(broker.host, broker.port, prefix="wasm-servient/clients"))
        lamp = expose_lamp(await servient.start())
        client = MqttClient()
        consuming = WoT(servient=Servient(clients=[client]))
        yield World(broker, servient, lamp, servient.td(lamp), client, consuming)
        await client.close()
        await servient.shutdown()


class Received:
    """An observer that can be waited for."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Any] = asyncio.Queue()

    def subscribe_to(self, interaction: Any) -> Any:
        return interaction.subscribe(
            on_next=self.queue.put_nowait,
            on_error=self.queue.put_nowait,
            on_completed=lambda: self.queue.put_nowait("completed"),
        )

    async def next(self) -> Any:
        return await asyncio.wait_for(self.queue.get(), DEADLINE_SECONDS)


async def refusal(work: Any) -> dict[str, Any]:
    with pytest.raises(InteractionRefused) as refused:
        await work
    return refused.value.problem


async def test_results_are_what_the_thing_sent(world: World) -> None:
    lamp = world.consume()
    assert await lamp.actions["double"].invoke({"number": 0}) == 0
    assert await lamp.actions["double"].invoke({"number": 21}) == 42
    for value in ({}, {"error": "none"}, {"id": 1, "result": None}, {"text": "☃"}):
        assert await lamp.actions["echo"].invoke(value) == value
    assert await lamp.actions["toggle"].invoke() is None


async def test_properties(world: World) -> None:
    lamp = world.consume()
    assert await lamp.properties["level"].read() == 3
    await lamp.properties["level"].write(0)
    assert await lamp.properties["level"].read() == 0
    assert await lamp.properties["serial"].read() == "4711"
    await lamp.properties["settings"].write({"error": "a word", "id": 7})
    assert await lamp.properties["settings"].read() == {"error": "a word", "id": 7}


async def test_files(world: World) -> None:
    lamp = world.consume()
    world.lamp.set_property("picture", Content(b"\x89PNG", "image/png"))
    assert await lamp.properties["picture"].read() == Content(b"\x89PNG", "image/png")
    inverted = Content(b"\xff\x00", "image/png")
    assert (
        await lamp.actions["invert"].invoke({"image": Content(b"\x00\xff", "image/png")})
        == inverted
    )
    if world.broker.version == 5:
        assert await lamp.actions["invert"].invoke(Content(b"\x00\xff", "image/png")) == inverted


async def test_refusals_are_raised(world: World) -> None:
    lamp = world.consume()
    problem = await refusal(lamp.actions["double"].invoke({"number": "x"}))
    assert (problem["status"], problem["errors"][0]["pointer"]) == (400, "/number")
    assert (await refusal(lamp.properties["level"].write(101)))["status"] == 400
    problem = await refusal(lamp.properties["double_result"].read())
    assert (problem["status"], problem["title"]) == (404, "No value yet")
    world.lamp.destroy()
    assert (await refusal(lamp.actions["toggle"].invoke()))["status"] == 404


async def test_without_a_form_to_ask_nothing_retained_is_no_value(world: World) -> None:
    def only_retained(td: dict[str, Any]) -> None:
        for definition in td["properties"].values():
            definition["forms"] = [f for f in definition["forms"] if "mqv:filter" in f]

    lamp = world.consume(only_retained)
    assert await lamp.properties["level"].read() == 3
    assert (await refusal(lamp.properties["double_result"].read()))["status"] == 404
    with pytest.raises(FormNotFoundException):
        await lamp.properties["level"].write(4)


async def test_changes_are_observed(world: World) -> None:
    lamp, received = world.consume(), Received()
    received.subscribe_to(lamp.properties["level"])
    other = Received()
    await asyncio.sleep(0)
    subscription = other.subscribe_to(lamp.properties["level"])
    await until_subscribed(world, lamp)
    await world.lamp.write_property("level", 50)
    for observer in (received, other):
        change = await observer.next()
        assert (change.data.name, change.data.value) == ("level", 50)
    subscription.dispose()
    await world.lamp.write_property("level", 51)
    assert (await received.next()).data.value == 51
    assert other.queue.empty()
    world.lamp.destroy()
    assert await received.next() == "completed"


async def until_subscribed(world: World, lamp: Any) -> None:
    """Requests go out on the connection that subscribed before, so that this comes after it."""
    for _ in range(3):
        await lamp.properties["serial"].read()


async def test_events_are_heard(world: World) -> None:
    lamp, received = world.consume(), Received()
    received.subscribe_to(lamp.events["toggled"])
    await until_subscribed(world, lamp)
    await lamp.actions["toggle"].invoke()
    event = await received.next()
    assert (event.name, event.data) == ("toggled", True)
    world.lamp.destroy()
    assert await received.next() == "completed"


async def test_a_hundred_calls_at_once(world: World) -> None:
    lamp = world.consume()
    results = await asyncio.gather(
        *(lamp.actions["double"].invoke({"number": number}) for number in range(100))
    )
    assert results == [2 * number for number in range(100)]


async def test_one_connection_serves_all_and_leaves_nothing(world: World) -> None:
    lamp = world.consume()
    await asyncio.gather(*(lamp.properties["level"].read() for _ in range(20)))
    Received().subscribe_to(lamp.events["toggled"])
    await until_subscribed(world, lamp)
    tasks = len(asyncio.all_tasks())
    await world.client.close()
    assert len(asyncio.all_tasks()) < tasks
    # And it may be used again.
    assert await lamp.properties["level"].read() == 3


async def test_a_thing_that_does_not_answer_is_not_waited_for_longer(world: World) -> None:
    lamp = world.consume()

    async def sleep(_: Any) -> None:
        await asyncio.sleep(DEADLINE_SECONDS)

    world.lamp.set_action_handler("toggle", sleep)
    with pytest.raises(ClientRequestTimeout):
        await lamp.actions["toggle"].invoke(timeout=0.2)


async def test_a_broker_that_is_not_there_is_named(world: World) -> None:
    def elsewhere(td: dict[str, Any]) -> None:
        for form in td["actions"]["toggle"]["forms"]:
            form["href"] = "mqtt://127.0.0.1:1/x"

    with pytest.raises(BrokerUnreachable, match=r"127\.0\.0\.1:1"):
        await world.consume(elsewhere).actions["toggle"].invoke()


async def test_after_the_broker_was_away_it_goes_on(world: World) -> None:
    lamp, received = world.consume(), Received()
    received.subscribe_to(lamp.properties["level"])
    await until_subscribed(world, lamp)
    running = world.broker._running
    assert running is not None
    await running.stop()
    await world.lamp.write_property("level", 99)
    await running.start()
    assert (await received.next()).data.value == 99
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:  # until the Thing is back, too
            try:
                assert await lamp.actions["double"].invoke({"number": 4}, timeout=0.5) == 8
            except (MqttError, ClientRequestTimeout):
                continue
            break


async def test_a_thing_of_others_is_published_to(world: World) -> None:
    """No answer is promised: the plain value goes out, and that is all."""

    def foreign(td: dict[str, Any]) -> None:
        for kind, name, *operations in (
            ("actions", "double", "invokeaction"),
            ("properties", "level", "writeproperty", "readproperty"),
        ):
            td[kind][name]["forms"] = [
                {
                    "href": f"mqtt://127.0.0.1:{world.broker.port}/foreign/{operation}",
                    "op": operation,
                    "contentType": "application/json",
                }
                for operation in operations
            ]

    lamp = world.consume(foreign)
    async with (
        PahoClient(world.broker.host, world.broker.port, world.broker.version) as other,
        other.listening("foreign/+") as messages,
    ):
        assert await lamp.actions["double"].invoke({"number": 1}) is None
        message = await asyncio.wait_for(messages.get(), DEADLINE_SECONDS)
        assert (message.topic, message.payload) == ("foreign/invokeaction", b'{"number":1}')
        await lamp.properties["level"].write(7)
        message = await asyncio.wait_for(messages.get(), DEADLINE_SECONDS)
        assert (message.topic, message.payload) == ("foreign/writeproperty", b"7")
        await other.publish("foreign/readproperty", b"8", retain=True)
        assert await lamp.properties["level"].read() == 8

"""What the broker retains: the state of Things that are there, and nothing of those that are not."""

import asyncio
import gc
import json
from collections.abc import Callable

import psutil

from servient.bindings.mqtt.binding import MqttBinding
from servient.bindings.mqtt.broker import EmbeddedBroker
from servient.wot.content import Content
from servient.wot.entry import WoT
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing
from tests.bindings.mqtt.serving import PREFIX, Serving, answer_topic, serve, topic
from tests.consumers.paho import PahoClient
from tests.mqtt.proxy import proxying
from tests.things import expose_lamp

PATIENCE_SECONDS = 20.0


async def retained(client: PahoClient, below: str = "#") -> dict[str, bytes]:
    """What the broker keeps; a message of our own marks the end of it."""
    mark, found = answer_topic(), {}
    async with client.listening(f"{PREFIX}/{below}", mark) as messages:
        await client.publish(mark)
        while (message := await asyncio.wait_for(messages.get(), PATIENCE_SECONDS)).topic != mark:
            if message.is_retained:
                found[message.topic] = message.payload
    return found


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)


async def settled(client: PahoClient, serving: Serving) -> dict[str, bytes]:
    running = serving.binding._running
    assert running is not None
    await until(lambda: not len(running._outbox) and not running.mirror.waiting)
    return await retained(client)


async def test_values_are_there_when_the_thing_is(client: PahoClient, serving: Serving) -> None:
    assert await settled(client, serving) == {
        f"{PREFIX}/status": b"online",
        topic("status"): b"online",
        topic("properties/level"): b"3",
    }


async def test_changes_are_retained_and_events_are_not(
    client: PahoClient, serving: Serving, lamp: ExposedThing
) -> None:
    await lamp.write_property("level", 4)
    await lamp.write_property("serial", "not for everybody")
    lamp.set_property("picture", Content(b"\x89PNG", "image/png"))
    lamp.emit_event("toggled", True)
    assert await settled(client, serving) == {
        f"{PREFIX}/status": b"online",
        topic("status"): b"online",
        topic("properties/level"): b"4",
        topic("properties/picture"): b"\x89PNG",
    }


async def test_of_quick_changes_the_last_is_retained(
    client: PahoClient, serving: Serving, lamp: ExposedThing
) -> None:
    async with client.listening(topic("properties/level")) as messages:
        for level in range(100):
            lamp.set_property("level", level)
        heard = [b""]
        async with asyncio.timeout(PATIENCE_SECONDS):
            while heard[-1] != b"99":
                heard.append((await messages.get()).payload)
    assert len(heard) < 50


async def test_a_value_that_goes_leaves_nothing(
    client: PahoClient, serving: Serving, lamp: ExposedThing
) -> None:
    lamp.set_property("level", None)
    assert topic("properties/level") not in await settled(client, serving)


async def test_a_destroyed_thing_leaves_nothing(
    client: PahoClient, serving: Serving, lamp: ExposedThing
) -> None:
    async with client.listening(topic("status"), topic("properties/level")) as messages:
        lamp.destroy()
        heard: list[tuple[str, bytes]] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (topic("status"), b"") not in heard:
                message = await messages.get()
                heard.append((message.topic, message.payload))
    assert await settled(client, serving) == {f"{PREFIX}/status": b"online"}


async def test_many_things_leave_nothing(client: PahoClient, serving: Serving) -> None:
    """And an observer of nothing but the newest: what is taken back before it is sent is not sent."""
    lamp = serving.servient.exposed("lamp:1")
    gc.collect()
    files = psutil.Process().num_fds()
    for number in range(100):
        other = expose_lamp(serving.wot, f"lamp:{number + 2}")
        await lamp.write_property("level", number)
        other.destroy()
    found = await settled(client, serving)
    assert found == {
        f"{PREFIX}/status": b"online",
        topic("status"): b"online",
        topic("properties/level"): b"99",
    }
    assert psutil.Process().num_fds() == files


async def test_a_servient_that_stops_says_so(broker: EmbeddedBroker) -> None:
    async with PahoClient(broker.host, broker.port, broker.version) as client:
        tasks = asyncio.all_tasks()
        async with serve(broker) as serving:
            expose_lamp(serving.wot)
            assert (await settled(client, serving))[f"{PREFIX}/status"] == b"online"
        left = {task.get_name() for task in asyncio.all_tasks() - tasks}
        assert not any(name.startswith(("MQTT", PREFIX)) for name in left)
        assert await retained(client) == {f"{PREFIX}/status": b"offline"}


async def test_a_servient_that_vanishes_has_a_last_will(
    client: PahoClient, serving: Serving
) -> None:
    async with client.listening(f"{PREFIX}/status") as messages:
        assert (await messages.get()).payload == b"online"
        serving.binding._running.session.connection.abort("pulled")  # type: ignore[union-attr]
        assert (await asyncio.wait_for(messages.get(), PATIENCE_SECONDS)).payload == b"offline"
        # It comes back by itself.
        assert (await asyncio.wait_for(messages.get(), PATIENCE_SECONDS)).payload == b"online"


async def test_what_an_earlier_run_left_is_cleared(broker: EmbeddedBroker) -> None:
    stale = [topic("properties/level", "gone"), topic("status", "gone"), topic("properties/no")]
    kept = [f"{PREFIX}/elsewhere", f"{PREFIX}/things/lamp:1/events/toggled"]
    async with PahoClient(broker.host, broker.port, broker.version) as client:
        for each in (*stale, *kept):
            await client.publish(each, b"1", retain=True)
        async with serve(broker) as serving:
            expose_lamp(serving.wot)
            found = await settled(client, serving)
            assert set(found) == {
                *kept,
                f"{PREFIX}/status",
                topic("status"),
                topic("properties/level"),
            }
            assert found[topic("properties/level")] == b"3"


async def test_things_that_were_there_before_the_start_are_served(
    mosquitto: EmbeddedBroker,
) -> None:
    servient = Servient()
    expose_lamp(WoT(servient))
    servient.add_server(MqttBinding(mosquitto.host, mosquitto.port, prefix=PREFIX))
    async with PahoClient(mosquitto.host, mosquitto.port) as client:
        for _ in range(2):  # and a servient may be started again
            await servient.start()
            to = answer_topic()
            async with client.listening(to) as answers:
                await client.publish(topic("properties/level/read"), ResponseTopic=to)
                assert (await asyncio.wait_for(answers.get(), PATIENCE_SECONDS)).payload == b"3"
            await servient.shutdown()
            assert await retained(client) == {f"{PREFIX}/status": b"offline"}


async def test_a_broker_that_is_away_at_the_start_is_waited_for(broker: EmbeddedBroker) -> None:
    """The servient starts, and stops, without it; when it is there, it learns what there is."""
    async with proxying(broker.host, broker.port) as proxy:
        await proxy.cut()
        binding = MqttBinding("127.0.0.1", proxy.port, prefix=PREFIX)
        servient = Servient()
        servient.add_server(binding)
        for _ in range(2):
            wot = await servient.start()
            assert binding.version is None
            lamp = expose_lamp(wot)
            await servient.shutdown()
            lamp.destroy()
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("MQTT")]
        expose_lamp(await servient.start())
        await proxy.mend()
        await until(lambda: binding.version is not None)
        async with PahoClient(broker.host, broker.port, broker.version) as client:
            serving = Serving(broker, servient, binding, wot)
            assert (await settled(client, serving))[topic("properties/level")] == b"3"
            async with client.listening(topic("actions/double/1/output")) as answers:
                await client.publish(topic("actions/double/1"), json.dumps({"number": 3}))
                assert (await asyncio.wait_for(answers.get(), PATIENCE_SECONDS)).payload == b"6"
        await servient.shutdown()


async def test_a_broker_that_forgot_everything_is_told_again(broker: EmbeddedBroker) -> None:
    async with serve(broker) as serving:
        lamp = expose_lamp(serving.wot)
        running, ours = broker._running, serving.binding._running
        assert running is not None
        assert ours is not None
        await until(lambda: not len(ours._outbox))  # amqtt cannot stop while it is told something
        await running.stop()
        await until(lambda: serving.binding.version is None)
        await lamp.write_property("level", 8)
        await running.start()
        await until(lambda: serving.binding.version is not None)
        async with PahoClient(broker.host, broker.port, broker.version) as client:
            assert await settled(client, serving) == {
                f"{PREFIX}/status": b"online",
                topic("status"): b"online",
                topic("properties/level"): b"8",
            }
            async with client.listening(topic("actions/double/1/output")) as answers:
                await client.publish(topic("actions/double/1"), json.dumps({"number": 3}))
                assert (await asyncio.wait_for(answers.get(), PATIENCE_SECONDS)).payload == b"6"


async def test_what_happens_without_a_connection_is_told_afterwards(
    mosquitto: EmbeddedBroker,
) -> None:
    """Of values the latest, of events all; a Thing that has gone meanwhile leaves nothing."""
    async with proxying(mosquitto.host, mosquitto.port) as proxy:
        binding = MqttBinding("127.0.0.1", proxy.port, prefix=PREFIX)
        servient = Servient()
        servient.add_server(binding)
        wot = await servient.start()
        serving = Serving(mosquitto, servient, binding, wot)
        lamp, gone = expose_lamp(wot), expose_lamp(wot, "gone")
        async with (
            serving.client() as client,
            client.listening(topic("events/toggled")) as events,
        ):
            assert topic("properties/level", "gone") in await settled(client, serving)
            await proxy.cut()
            await until(lambda: binding.version is None)
            for level in range(50):
                await lamp.write_property("level", level)
                lamp.emit_event("toggled", level % 2 == 0)
            gone.destroy()
            await proxy.mend()
            async with asyncio.timeout(PATIENCE_SECONDS):
                heard = [(await events.get()).payload for _ in range(50)]
            assert heard == [b"true", b"false"] * 25
            assert await settled(client, serving) == {
                f"{PREFIX}/status": b"online",
                topic("status"): b"online",
                topic("properties/level"): b"49",
            }
        await servient.shutdown()


async def test_however_many_go_while_the_broker_is_away_nothing_piles_up_and_nothing_stays(
    mosquitto: EmbeddedBroker,
) -> None:
    async with proxying(mosquitto.host, mosquitto.port) as proxy:
        binding = MqttBinding("127.0.0.1", proxy.port, prefix=PREFIX)
        servient = Servient()
        servient.add_server(binding)
        serving = Serving(mosquitto, servient, binding, await servient.start())
        things = [expose_lamp(serving.wot, f"lamp-{number}") for number in range(20)]
        outbox = binding._running._outbox  # type: ignore[union-attr] # it runs
        outbox._waiting_limit = 4
        async with serving.client() as client:
            before = await settled(client, serving)
            assert topic("properties/level", "lamp-19") in before
            await proxy.cut()
            await until(lambda: binding.version is None)
            for thing in things[1:]:
                thing.destroy()
            assert len(outbox) <= 4 + len(before) // len(things) + 1
            await proxy.mend()
            await until(lambda: binding.version is not None)
            assert await settled(client, serving) == {
                f"{PREFIX}/status": b"online",
                topic("status", "lamp-0"): b"online",
                topic("properties/level", "lamp-0"): b"3",
            }
        await servient.shutdown()

"""What is requested while the servient is away: done when it comes back, and done once."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from servient.bindings.mqtt.binding import MqttBinding
from servient.bindings.mqtt.broker import EmbeddedBroker
from servient.wot.entry import WoT
from servient.wot.servient import Servient
from tests.bindings.mqtt.serving import PREFIX, Serving, topic
from tests.bindings.mqtt.test_state import until
from tests.consumers.paho import PahoClient
from tests.mqtt.proxy import Proxy, proxying

REQUESTS = 50
SETTLE_SECONDS = 0.3


def expose_counter(wot: WoT, seen: list[int]) -> None:
    """A Thing that takes down what it is asked to."""
    thing = wot.produce(
        {
            "@context": "https://www.w3.org/2022/wot/td/v1.1",
            "title": "Counter",
            "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
            "security": "nosec_sc",
            "actions": {"count": {"input": {"type": "integer"}}},
        }
    )

    async def count(value: Any) -> None:
        await asyncio.sleep(0)
        seen.append(value)

    thing.set_action_handler("count", count)
    thing.expose()


@contextlib.asynccontextmanager
async def serving_through(
    proxy: Proxy, broker: EmbeddedBroker, seen: list[int]
) -> AsyncIterator[Serving]:
    binding = MqttBinding(
        "127.0.0.1", proxy.port, prefix=PREFIX, client_id="servientoftests", requests_limit=8
    )
    servient = Servient()
    servient.add_server(binding)
    expose_counter(WoT(servient), seen)
    wot = await servient.start()
    try:
        yield Serving(broker, servient, binding, wot)
    finally:
        await servient.shutdown()


@pytest.fixture
async def broker(mosquitto: EmbeddedBroker) -> EmbeddedBroker:
    """amqtt keeps nothing for those who are away; it is in the servient's process, which it never loses."""
    return mosquitto


@pytest.fixture
async def client(broker: EmbeddedBroker) -> AsyncIterator[PahoClient]:
    async with PahoClient(broker.host, broker.port, broker.version) as client:
        yield client


async def request(client: PahoClient, *numbers: int) -> None:
    """Returns when the broker has acknowledged."""
    for number in numbers:
        await client.publish(topic("actions/count", "counter"), json.dumps(number))


async def test_what_was_acknowledged_is_done_after_a_lost_connection(
    broker: EmbeddedBroker, client: PahoClient
) -> None:
    seen: list[int] = []
    async with (
        proxying(broker.host, broker.port) as proxy,
        serving_through(proxy, broker, seen) as serving,
    ):
        await proxy.cut()
        await until(lambda: serving.binding.version is None)
        await request(client, *range(REQUESTS))
        assert seen == []
        await proxy.mend()
        await until(lambda: len(seen) >= REQUESTS)
        assert seen == list(range(REQUESTS))


async def test_what_comes_while_the_connection_is_cut_is_done_once(
    broker: EmbeddedBroker, client: PahoClient
) -> None:
    """Also when the servient's own acknowledgement is what gets lost."""
    seen: list[int] = []
    async with (
        proxying(broker.host, broker.port) as proxy,
        serving_through(proxy, broker, seen) as serving,
    ):
        for cut in range(4):
            await until(lambda: serving.binding.version is not None)
            numbers = range(cut * REQUESTS, (cut + 1) * REQUESTS)
            asking = asyncio.create_task(request(client, *numbers))
            await until(lambda: len(seen) > numbers.start + 10)  # noqa: B023 - awaited here
            await proxy.cut()
            await asking
            await proxy.mend()
        await until(lambda: len(seen) >= 4 * REQUESTS)
        await asyncio.sleep(SETTLE_SECONDS)
        assert sorted(seen) == list(range(4 * REQUESTS))


async def test_a_servient_that_crashed_does_it_when_it_is_back(
    broker: EmbeddedBroker, client: PahoClient
) -> None:
    seen: list[int] = []
    async with proxying(broker.host, broker.port) as proxy:
        async with serving_through(proxy, broker, seen):
            await proxy.cut()  # so that its leave is not heard
            await request(client, *range(REQUESTS))
        await proxy.mend()
        async with serving_through(proxy, broker, seen):
            await until(lambda: len(seen) >= REQUESTS)
        assert seen == list(range(REQUESTS))


async def test_a_servient_that_was_stopped_does_not(
    broker: EmbeddedBroker, client: PahoClient
) -> None:
    """It said that it is offline, and nobody waits for it."""
    seen: list[int] = []
    async with proxying(broker.host, broker.port) as proxy:
        async with serving_through(proxy, broker, seen):
            await request(client, 1)
            await until(lambda: seen == [1])
        await request(client, 2)
        async with serving_through(proxy, broker, seen):
            await request(client, 3)
            await until(lambda: len(seen) >= 2)
        assert seen == [1, 3]

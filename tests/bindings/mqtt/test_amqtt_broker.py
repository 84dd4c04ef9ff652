"""The broker of last resort, in this process."""

import asyncio

from servient.bindings.mqtt.amqtt_broker import AmqttBroker, SteadyBroker
from servient.bindings.mqtt.broker import EmbeddedBroker
from tests.consumers.paho import PahoClient


async def test_clients_connect_while_others_subscribe() -> None:
    async with EmbeddedBroker("127.0.0.1", 0, prefer="amqtt") as broker:

        async def come_and_go(number: int) -> None:
            async with PahoClient(broker.host, broker.port, version=4) as client:
                topics = [f"t/{number}/{each}" for each in range(5)]
                async with client.listening(*topics) as messages:
                    await client.publish(topics[0], b"hello", retain=True)
                    assert (await asyncio.wait_for(messages.get(), 15)).payload == b"hello"

        for _ in range(3):
            await asyncio.gather(*map(come_and_go, range(12)))


async def test_a_walk_through_subscriptions_survives_a_new_one() -> None:
    broker = SteadyBroker(AmqttBroker("127.0.0.1", 0)._config)
    broker._subscriptions["a"] = []
    for topic in broker._subscriptions:
        broker._subscriptions[f"{topic}/b"] = []
        if len(broker._subscriptions) > 10:
            raise AssertionError("a walk must end")
    assert set(broker._subscriptions) == {"a", "a/b"}

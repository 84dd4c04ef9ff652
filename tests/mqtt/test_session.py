"""A connection that is kept up."""

import asyncio

import pytest

from servient.bindings.mqtt.broker import EmbeddedBroker
from servient.mqtt.connection import Connection, connect
from servient.mqtt.errors import BrokerRefused, BrokerUnreachable
from servient.mqtt.message import Broker
from servient.mqtt.session import Session
from tests.tools import needs

DEADLINE_SECONDS = 20.0


async def test_it_comes_back_as_often_as_it_is_lost() -> None:
    needs("mosquitto")
    used: list[Connection] = []
    losses: list[None] = []

    async def use(connection: Connection) -> None:
        used.append(connection)
        if len(used) == 2:  # whatever the broker refuses then is tried again
            raise BrokerRefused("not yet")

    async with EmbeddedBroker(prefer="mosquitto") as broker:
        address = Broker(broker.host, broker.port)
        session = Session(
            lambda: connect(address, lambda _: None), use, lambda: losses.append(None)
        )
        await session.start()
        for count in (3, 4):
            (await session.connected()).abort("pulled")
            async with asyncio.timeout(DEADLINE_SECONDS):
                while len(used) < count or session.connection is None:
                    await asyncio.sleep(0.01)
            assert session.connection is used[-1]
        await session.stop()
        assert session.connection is None
        assert await used[-1].lost
    assert len(losses) == 3
    assert len(asyncio.all_tasks()) == 1


async def test_the_first_connection_must_come_about() -> None:
    async def use(_: Connection) -> None:
        raise AssertionError("there is none")

    nowhere = Broker("127.0.0.1", 1)
    session = Session(lambda: connect(nowhere, lambda _: None), use, lambda: None)
    with pytest.raises(BrokerUnreachable):
        await session.start()
    await session.stop()

"""Subscribers that do not read: nobody else notices, and they end up with the last value or with none."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable
from typing import Any

import psutil
import pytest

from servient.app import App
from servient.bindings.coap.binding import CoapBinding
from servient.bindings.websocket.binding import WebSocketBinding
from servient.config import Config
from tests.bindings.stalled import STALLED
from tests.bindings.test_contract import CONSUMERS, consuming
from tests.things import THING, expose_lamp
from tests.tools import needs

CHANGES = 10_000
VALUE_CHARACTERS = 1000
# Other work of the loop has its turn, as between the changes of any real program.
BURST = 20
DEADLINE_SECONDS = 60.0
# Of ten million characters in all.
GROWTH_LIMIT_BYTES = 24 * 2**20
HEALTHY = [wire for wire in CONSUMERS if wire not in ("mqtt3-amqtt", "mqtt3-mosquitto")]


def value(number: int) -> dict[str, Any]:
    return {"id": number, "error": "x" * VALUE_CHARACTERS}


@pytest.fixture
async def app(settings: Callable[..., Config]) -> AsyncIterator[App]:
    needs("mosquitto")
    async with App(settings(embedded_broker="mosquitto")) as running:
        yield running


async def until_last(values: AsyncIterator[Any]) -> None:
    async for each in values:
        if each == value(CHANGES - 1):
            return
    raise AssertionError("a subscription ended")


@pytest.mark.parametrize("wire", STALLED)
async def test_one_that_does_not_read(wire: str, app: App) -> None:
    lamp = expose_lamp(app.wot)
    lamp.set_property("settings", value(-1))
    async with contextlib.AsyncExitStack() as stack:
        observing = []
        for healthy in HEALTHY:
            consumer = await stack.enter_async_context(consuming(app, healthy, lamp))
            values = await stack.enter_async_context(consumer.observe("settings"))
            observing.append(asyncio.create_task(until_last(values)))
        stalled = await stack.enter_async_context(STALLED[wire](app, THING, "settings"))
        await asyncio.sleep(0.1)
        gc.collect()
        memory = psutil.Process().memory_info().rss
        for number in range(CHANGES):
            lamp.set_property("settings", value(number))
            if number % BURST == 0:
                await asyncio.sleep(0)
        async with asyncio.timeout(DEADLINE_SECONDS):
            await asyncio.gather(*observing)
            gc.collect()
            assert psutil.Process().memory_info().rss - memory < GROWTH_LIMIT_BYTES
            assert await stalled.last(value(CHANGES - 1))
    await everybody_has_gone(app)


@pytest.mark.parametrize("wire", STALLED)
async def test_one_that_does_not_read_when_the_thing_is_destroyed(wire: str, app: App) -> None:
    lamp = expose_lamp(app.wot)
    async with STALLED[wire](app, THING, "settings"):
        await asyncio.sleep(0.1)
        for number in range(CHANGES // 10):
            lamp.set_property("settings", value(number))
            if number % BURST == 0:
                await asyncio.sleep(0)
        lamp.destroy()
        assert lamp.publisher._subscriptions == set()
        expose_lamp(app.wot)  # under the same name, for somebody else
    await everybody_has_gone(app)


async def everybody_has_gone(app: App) -> None:
    coap, websocket = app.bindings["coap"], app.bindings["websocket"]
    assert isinstance(coap, CoapBinding)
    assert isinstance(websocket, WebSocketBinding)
    async with asyncio.timeout(DEADLINE_SECONDS):
        while coap.observers or websocket.connection_count:
            for thing in app.servient.enabled_exposed_things:
                if thing.name == THING:
                    thing.set_property("settings", {})
            await asyncio.sleep(0.05)

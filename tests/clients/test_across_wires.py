"""A WoTPy program gets the same from a Thing over every wire: any type, and any kind of action."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from wotpy.protocols.exceptions import ClientRequestTimeout

from servient.app import App
from servient.clients.coap import CoapClient
from servient.clients.errors import InteractionRefused
from servient.clients.http import HttpClient
from servient.clients.mqtt import MqttClient
from servient.clients.websocket import WebSocketClient
from servient.config import Config
from servient.wot.content import Content
from servient.wot.entry import WoT
from servient.wot.servient import Servient
from tests.bindings.hostile.sponge import expose_sponge
from tests.tools import needs

DEADLINE_SECONDS = 20.0
CLIENTS: dict[str, Callable[[], Any]] = {
    "http": HttpClient,
    "coap": CoapClient,
    "websocket": WebSocketClient,
    "mqtt": MqttClient,
}
VALUES: dict[str, tuple[Any, ...]] = {
    "number": (0, -1.5, 1e300),
    "integer": (0, 7, -(2**53)),
    "text": ("", "an error", "na\u00efve \u2603 \u0000"),
    "flag": (True, False),
    "list": ([], ["error", 1, None]),
    "object": ({}, {"error": "no", "value": 1}, {"a": {"b": [1]}}),
    "either": (1, "x"),
}


@pytest.fixture
async def app(settings: Callable[..., Config]) -> AsyncIterator[App]:
    needs("mosquitto")
    async with App(settings(embedded_broker="mosquitto")) as running:
        yield running


@pytest.fixture(params=CLIENTS)
async def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def consumed(wire: str, app: App) -> AsyncIterator[Any]:
    """The Thing with all of its forms, consumed by a servient with one client."""
    sponge = expose_sponge(app.wot)

    async def later(value: Any) -> Any:
        await asyncio.sleep(0.2)
        if "fail" in value:
            raise ValueError("it was asked to")
        return {"late": value}

    sponge.set_action_handler("later", later)
    client = CLIENTS[wire]()
    consumer = WoT(servient=Servient(clients=[client]))
    yield consumer.consume(json.dumps(app.servient.td(sponge)))
    await client.close()


async def test_every_type(consumed: Any) -> None:
    for name, values in VALUES.items():
        for value in values:
            output = await consumed.invoke_action(name, value)
            assert (output, type(output)) == (value, type(value))
            await consumed.properties[name].write(value)
            read = await consumed.properties[name].read()
            assert (read, type(read)) == (value, type(value))


async def test_files(consumed: Any) -> None:
    image = Content(bytes(range(256)), "image/png")
    assert await consumed.invoke_action("file", image) == image
    await consumed.properties["file"].write(image)
    assert await consumed.properties["file"].read() == image


async def test_nothing(consumed: Any) -> None:
    assert await consumed.invoke_action("anything") is None


async def test_an_action_that_is_only_begun(consumed: Any) -> None:
    """Its output is waited for."""
    output = await asyncio.wait_for(consumed.invoke_action("later", {"a": 1}), DEADLINE_SECONDS)
    assert output == {"late": {"a": 1}}
    with pytest.raises(InteractionRefused, match="it was asked to"):
        await asyncio.wait_for(consumed.invoke_action("later", {"fail": 1}), DEADLINE_SECONDS)


async def test_an_action_that_is_not_over_in_time(consumed: Any) -> None:
    with pytest.raises(ClientRequestTimeout):
        await consumed.invoke_action("later", {"a": 1}, timeout=0.1)

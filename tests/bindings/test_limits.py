"""The one setting for the size of what comes in, and how each wire says that it is exceeded."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiocoap
import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from servient.app import App
from servient.config import Config
from tests.consumers.paho import PahoClient
from tests.things import THING, expose_lamp
from tests.tools import needs

LIMIT_BYTES = 4096
PATIENCE_SECONDS = 20.0
TOO_LARGE = json.dumps({"text": "x" * LIMIT_BYTES}).encode()
SMALL = b'{"text":"x"}'


@pytest.fixture
async def limited(settings: Callable[..., Config]) -> AsyncIterator[App]:
    needs("mosquitto")
    async with App(settings(body_limit_bytes=LIMIT_BYTES)) as app:
        expose_lamp(app.wot)
        yield app


async def test_http_answers_413(limited: App) -> None:
    url = f"{limited.addresses()['http']}/things/{THING}/actions/echo"
    async with httpx.AsyncClient() as client:
        answer = await client.post(url, content=TOO_LARGE)
        assert (answer.status_code, answer.json()["title"]) == (413, "Too large")
        assert (await client.post(url, content=SMALL)).content == SMALL


async def test_coap_answers_4_13(limited: App) -> None:
    uri = f"{limited.addresses()['coap']}/things/{THING}/actions/echo"
    context = await aiocoap.Context.create_client_context(transports=["udp6"])
    try:
        for body, code in ((TOO_LARGE, "4.13"), (SMALL, "2.04")):
            request = aiocoap.Message(code=aiocoap.POST, uri=uri, payload=body)
            answer = await asyncio.wait_for(context.request(request).response, PATIENCE_SECONDS)
            assert answer.code.dotted == code
    finally:
        await context.shutdown()


@pytest.mark.parametrize("subprotocols", [["webthingprotocol"], None])
async def test_websockets_are_closed_with_1009(limited: App, subprotocols: Any) -> None:
    url = f"{limited.addresses()['websocket']}/things/{THING}"
    async with connect(url, subprotocols=subprotocols) as socket:
        await socket.send(TOO_LARGE.decode())
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), PATIENCE_SECONDS)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


async def test_mqtt_answers_with_a_problem(limited: App) -> None:
    assert limited.broker is not None
    topic = f"{limited.config.topic_prefix}/things/{THING}/actions/echo"
    async with (
        PahoClient(limited.broker.host, limited.broker.port) as client,
        client.listening("answers/limits") as answers,
    ):
        for body in (TOO_LARGE, SMALL):
            await client.publish(topic, body, ResponseTopic="answers/limits")
        problem = await asyncio.wait_for(answers.get(), PATIENCE_SECONDS)
        assert json.loads(problem.payload)["status"] == 413
        assert (await asyncio.wait_for(answers.get(), PATIENCE_SECONDS)).payload == SMALL

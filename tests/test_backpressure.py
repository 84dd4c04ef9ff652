"""One Thing that stalls, or one principal who asks for everything, leaves room for all others."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiocoap
import httpx
import pytest
from websockets.asyncio.client import connect

from servient.app import App
from servient.errors import Busy
from servient.wot.access import Grant, Principal, Scope, acting_as
from servient.wot.invocations import Bounds, Invocations
from tests.consumers.paho import PahoClient

DEADLINE_SECONDS = 20.0


def describe(name: str) -> dict[str, Any]:
    return {
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "id": f"urn:test:{name}",
        "title": name,
        "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
        "security": "nosec_sc",
        "actions": {"work": {"synchronous": True}},
    }


@pytest.fixture
async def stalled(app: App) -> AsyncIterator[App]:
    """`slow` has as much under way as one Thing may have; `quick` has nothing to do."""
    app.servient.invocations = Invocations(Bounds(running_of_thing=1, running_of_principal=2))
    gate = asyncio.Event()

    async def wait(_: Any) -> None:
        await gate.wait()

    async def answer(_: Any) -> int:
        return 7

    for name, handler in (("slow", wait), ("quick", answer)):
        thing = app.wot.produce(describe(name), name=name)
        thing.set_action_handler("work", handler)
        thing.expose()
    first = app.servient.exposed("slow").start_action("work")
    yield app
    gate.set()
    await first.result()


async def test_http(stalled: App) -> None:
    async with httpx.AsyncClient(base_url=stalled.addresses()["http"]) as http:
        answer = await http.post("/things/slow/actions/work")
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
        assert "of the Thing 'slow'" in answer.json()["detail"]
        assert (await http.post("/things/quick/actions/work")).json() == 7


async def test_coap(stalled: App) -> None:
    context = await aiocoap.Context.create_client_context(transports=["udp6"])
    try:
        origin = stalled.addresses()["coap"]
        for thing, code in (("slow", aiocoap.SERVICE_UNAVAILABLE), ("quick", aiocoap.CHANGED)):
            uri = f"{origin}/things/{thing}/actions/work"
            async with asyncio.timeout(DEADLINE_SECONDS):
                answer = await context.request(aiocoap.Message(code=aiocoap.POST, uri=uri)).response
            assert answer.code == code
            if thing == "slow":
                assert answer.opt.max_age == 1
    finally:
        await context.shutdown()


async def test_websockets(stalled: App) -> None:
    request = {"jsonrpc": "2.0", "id": 1, "method": "invoke_action", "params": {"name": "work"}}
    async with connect(f"{stalled.addresses()['websocket']}/things/slow") as socket:
        await socket.send(json.dumps(request))
        problem = json.loads(await socket.recv())["error"]["data"]
    assert (problem["status"], problem["retryAfterSeconds"]) == (503, 1)


async def test_mqtt(stalled: App) -> None:
    assert stalled.broker is not None
    topic = f"{stalled.config.topic_prefix}/things/slow/actions/work"
    async with (
        PahoClient(stalled.broker.host, stalled.broker.port) as client,
        client.listening("answers/me") as answers,
    ):
        await client.publish(topic, b"", qos=1, ResponseTopic="answers/me")
        async with asyncio.timeout(DEADLINE_SECONDS):
            problem = json.loads((await answers.get()).payload)
    assert (problem["status"], problem["retryAfterSeconds"]) == (503, 1)


async def test_a_principal_takes_no_more_than_its_share(stalled: App) -> None:
    somebody = Principal("somebody", (Grant(frozenset({Scope.INVOKE})),))
    invocations = stalled.servient.invocations
    with acting_as(somebody):
        opened = [invocations.open(f"thing{number}", "work", None) for number in range(2)]
        with pytest.raises(Busy, match="of the principal 'somebody'"):
            invocations.open("thing9", "work", None)
    with acting_as(Principal("other", ())):
        opened.append(invocations.open("thing9", "work", None))
    for each in opened:
        each.complete(None, {}, {})
        invocations.close(each)
    with acting_as(somebody):
        again = invocations.open("thing0", "work", None)
    again.complete(None, {}, {})
    invocations.close(again)

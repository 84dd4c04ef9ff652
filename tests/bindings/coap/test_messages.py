"""The message layer: duplicates, separate responses, and clients that do not wait."""

import asyncio
from typing import Any

import pytest
from aiocoap import EMPTY, GET, POST, Message

from tests.bindings.coap.serving import ACK, CON, JSON, LAMP, NON, Serving

DOUBLE = f"{LAMP}/actions/double"
TOGGLE = f"{LAMP}/actions/toggle"
LEVEL = f"{LAMP}/properties/level"


class Handler:
    """An action that ends when it is told to, and counts its runs."""

    def __init__(self) -> None:
        self.runs = 0
        self.has_ended = asyncio.Event()
        self.end = asyncio.Event()

    async def __call__(self, _: Any) -> int:
        self.runs += 1
        await self.end.wait()
        self.has_ended.set()
        return self.runs


@pytest.fixture
def handler(serving: Serving) -> Handler:
    handler = Handler()
    serving.lamp.set_action_handler("toggle", handler)
    return handler


async def test_a_duplicate_does_not_run_an_action_again(serving: Serving, handler: Handler) -> None:
    handler.end.set()
    with serving.peer() as peer:
        request = await peer.request(POST, TOGGLE)
        first = await peer.receive()
        for _ in range(3):
            await peer.send(request)
            again = await peer.receive()
            assert (again.mid, again.mtype, again.payload) == (first.mid, ACK, first.payload)
    assert handler.runs == 1


async def test_a_slow_action(serving: Serving, handler: Handler) -> None:
    """An empty acknowledgement, the same for each retransmission, then one separate response."""
    with serving.peer() as peer:
        request = await peer.request(POST, TOGGLE)
        for _ in range(3):
            empty = await peer.receive()
            assert (empty.code, empty.mtype, empty.mid) == (EMPTY, ACK, request.mid)
            await peer.send(request)
        await peer.receive()
        handler.end.set()
        response = await peer.receive()
        assert (response.mtype, response.token, response.payload) == (CON, b"t", b"1")
        assert response.code.dotted == "2.04"
        await peer.acknowledge(response)
        await peer.send(request)
        assert (await peer.receive()).code is EMPTY
        assert await peer.is_silent()
    assert handler.runs == 1


async def test_a_slow_action_answers_a_real_client(serving: Serving) -> None:
    async def slow(_: Any) -> int:
        await asyncio.sleep(0.5)
        return 5

    serving.lamp.set_action_handler("toggle", slow)
    response = await serving.ask(POST, TOGGLE)
    assert (response.code.dotted, response.payload) == ("2.04", b"5")


async def test_a_slow_action_stops_nobody(serving: Serving, handler: Handler) -> None:
    with serving.peer() as peer:
        await peer.request(POST, TOGGLE, token=b"slow")
        response = await peer.ask(GET, LEVEL, token=b"fast")
        assert (response.token, response.payload) == (b"fast", b"3")


async def test_an_invocation_outlives_its_client(serving: Serving, handler: Handler) -> None:
    with serving.peer() as peer:
        await peer.request(POST, TOGGLE)
        assert (await peer.receive()).code is EMPTY
    async with asyncio.timeout(20):
        handler.end.set()
        await handler.has_ended.wait()
    (invocation,) = serving.servient.invocations
    await invocation.result()
    assert invocation.output == 1


async def test_an_invocation_outlives_a_new_request_with_its_token(
    serving: Serving, handler: Handler
) -> None:
    with serving.peer() as peer:
        await peer.request(POST, TOGGLE)
        assert (await peer.receive()).code is EMPTY
        response = await peer.ask(GET, LEVEL)
        assert response.payload == b"3"
        handler.end.set()
        await asyncio.wait_for(handler.has_ended.wait(), 20)
        assert await peer.is_silent()


async def test_a_message_id_that_comes_round_again(serving: Serving) -> None:
    """A busy client uses all 65,536 within minutes; another token is another request."""
    with serving.peer() as peer:
        for number, token in enumerate((b"a", b"b", b"c")):
            request = Message(code=POST, _mtype=CON, _mid=7, _token=token, content_format=JSON)
            request.payload = b'{"number": %d}' % number
            request.opt.uri_path = DOUBLE.split("/")[1:]
            await peer.send(request)
            response = await peer.receive()
            assert (response.token, response.payload) == (token, b"%d" % (2 * number))


async def test_what_is_remembered_is_bounded(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain: Any = serving.binding._endpoint._plain  # type: ignore[union-attr]
    monkeypatch.setattr(plain._reads, "_limit_bytes", 50_000)
    with serving.peer() as peer:
        handler = await peer.request(POST, DOUBLE, payload=b'{"number": 1}')
        first = await peer.receive()
        for _ in range(300):
            await peer.ask(GET, LEVEL)
        assert len(plain._reads) < 100
        # Reads have not pushed out what must not run twice.
        await peer.send(handler)
        assert (await peer.receive()).payload == first.payload
    assert len(list(serving.servient.invocations)) == 1


async def test_no_confirmation_no_acknowledgement(serving: Serving) -> None:
    with serving.peer() as peer:
        request = await peer.request(GET, LEVEL, kind=NON)
        response = await peer.receive()
        assert (response.mtype, response.token, response.payload) == (NON, b"t", b"3")
        await peer.send(request)
        assert await peer.is_silent()


async def test_a_ping(serving: Serving) -> None:
    with serving.peer() as peer:
        assert await peer.is_silent()

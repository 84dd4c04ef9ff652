"""Input that nobody means well with: no traceback, no hang, and the others are served."""

import asyncio
import base64
import contextlib
import json
import logging
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from servient.bindings.websocket.dialect import Dialect, Rejected
from servient.bindings.websocket.json_rpc import JsonRpc
from servient.bindings.websocket.web_thing_protocol import WebThingProtocol
from servient.errors import Busy, ServientError
from tests.bindings.websocket.serving import (
    LAMP_ID,
    PATIENCE_SECONDS,
    WEB_THING,
    Served,
    ask,
    closing,
    receive,
    rpc,
    serving,
    until,
    wtp,
)

MEBIBYTE = 2**20
EXAMPLES = 150

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=9), children, max_size=4)
    ),
    max_leaves=12,
)
WORDS = st.sampled_from(
    ["level", "double", "toggled", "serial", "settings", "echo", "", "2.0", "request", LAMP_ID]
)
OPERATIONS = st.sampled_from(
    [
        "read_property", "write_property", "invoke_action", "on_property_change", "on_event",
        "on_td_change", "dispose", "readproperty", "writeproperty", "invokeaction",
        "observeproperty", "unobserveproperty", "subscribeevent", "unsubscribeevent",
        "readallproperties",
    ]
)  # fmt: skip
ANY = WORDS | JSON
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | ANY,
        "id": st.integers() | ANY,
        "method": OPERATIONS | ANY,
        "params": st.fixed_dictionaries(
            {}, optional={"name": ANY, "value": ANY, "parameters": ANY, "subscription": ANY}
        )
        | ANY,
        "thingID": st.just(LAMP_ID) | ANY,
        "messageID": ANY,
        "messageType": st.just("request") | ANY,
        "operation": OPERATIONS | ANY,
        "name": ANY,
        "value": ANY,
        "input": ANY,
        "correlationID": ANY,
    },
)
TEXTS = st.text(max_size=200) | JSON.map(json.dumps) | MESSAGES.map(json.dumps)
DIALECTS: list[tuple[str | None, Dialect[Any]]] = [
    (None, JsonRpc(LAMP_ID, "ws://x/")),
    (WEB_THING, WebThingProtocol(LAMP_ID, "ws://x/")),
]


@pytest.mark.parametrize("dialect", [dialect for _, dialect in DIALECTS])
@given(text=TEXTS)
@settings(max_examples=4 * EXAMPLES, deadline=None)
def test_parsing_gives_a_request_or_says_why_not(dialect: Dialect[Any], text: str) -> None:
    error: ServientError = Busy("for once")
    try:
        correlation = dialect.parse(text).correlation
    except Rejected as rejected:
        correlation, error = rejected.correlation, rejected.error
    answer = dialect.refusal(correlation, error)
    assert answer is None or json.loads(answer)["error"]


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing is logged as an error."""
    with caplog.at_level(logging.INFO):
        yield
    loud = [r for r in caplog.records if r.levelno >= logging.ERROR or r.exc_info]
    assert not [record.getMessage() for record in loud]


@pytest.mark.parametrize("subprotocol", [subprotocol for subprotocol, _ in DIALECTS])
def test_random_messages_leave_the_connection_usable(subprotocol: str | None, quiet: None) -> None:
    with asyncio.Runner() as runner:
        stack = contextlib.AsyncExitStack()
        served = runner.run(stack.enter_async_context(serving()))
        socket = runner.run(stack.enter_async_context(served.connected(subprotocol)))

        async def send(texts: list[str]) -> None:
            for text in texts:
                await socket.send(text)
            last = f"last {os.urandom(8).hex()}"
            own = rpc("read_property", last, name="level")
            if subprotocol:
                own = wtp("readproperty", "level", correlationID=last)
            await socket.send(json.dumps(own))
            answer: dict[str, Any] = {}
            while last not in (answer.get("id"), answer.get("correlationID")):
                answer = await receive(socket)

        @given(texts=st.lists(TEXTS, max_size=5))
        @settings(
            max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        )
        def check(texts: list[str]) -> None:
            runner.run(send(texts))

        check()
        runner.run(stack.aclose())


@pytest.fixture
async def bystander(served: Served) -> AsyncIterator[None]:
    """Somebody else, who is still served afterwards."""
    async with served.connected() as socket:
        yield
        assert (await ask(socket, rpc("read_property", name="level")))["result"] == 3


@pytest.mark.parametrize("data", [b"", b"\x00\xff", b'{"jsonrpc": "2.0"}', bytes(MEBIBYTE)])
async def test_binary_messages_are_refused(
    served: Served, bystander: None, quiet: None, data: bytes
) -> None:
    async with served.connected() as socket:
        await socket.send(data)
        assert await closing(socket) == (1003, "messages are text")


@pytest.mark.parametrize("subprotocol", [subprotocol for subprotocol, _ in DIALECTS])
async def test_a_message_that_is_too_big_is_told_so(
    served: Served, bystander: None, quiet: None, subprotocol: str | None
) -> None:
    async with served.connected(subprotocol) as socket:
        await socket.send("x" * (17 * MEBIBYTE))
        code, reason = await closing(socket)
        assert (code, reason) == (1009, f"messages have at most {16 * MEBIBYTE} bytes")


async def test_the_limit_counts_bytes_of_fragments_too(quiet: None) -> None:
    async with serving(message_limit_bytes=1000) as served:
        for text in ("☃" * 334, "x" * 1001):
            async with served.connected() as socket:
                await socket.send(text)
                assert (await closing(socket))[0] == 1009
        async with served.connected() as socket:
            await socket.send(["x" * 100] * 11)
            assert (await closing(socket))[0] == 1009
        async with served.connected() as socket:
            assert (await ask(socket, "☃" * 333))["error"]["code"] == -32700
        async with served.connected() as socket:
            with contextlib.suppress(ConnectionClosed):
                await socket.send("x" * 10_000)  # more than is read to its end
            assert (await closing(socket))[0] in (1006, 1009)
        await until(lambda: served.binding.connection_count == 0)


async def test_fragments_are_one_message(served: Served, quiet: None) -> None:
    text = json.dumps(rpc("read_property", name="level"))
    async with served.connected() as socket:
        await socket.send([text[i : i + 7] for i in range(0, len(text), 7)])
        assert (await receive(socket))["result"] == 3


async def test_a_big_file_passes(served: Served, quiet: None) -> None:
    image = base64.b64encode(bytes(8 * MEBIBYTE)).decode()
    async with served.connected() as socket:
        request = rpc("invoke_action", name="invert", parameters={"image": image})
        answer = await ask(socket, request)
        assert base64.b64decode(answer["result"]) == b"\xff" * (8 * MEBIBYTE)


@pytest.mark.parametrize("depth", [50, 400, 900, 5000, 1_000_000])
async def test_deep_json(served: Served, bystander: None, quiet: None, depth: int) -> None:
    deep = '{"a":' * depth + "1" + "}" * depth
    async with served.connected() as socket:
        request = json.dumps(rpc("invoke_action", name="echo", parameters="DEEP"))
        answer = await ask(socket, request.replace('"DEEP"', deep))
        assert "result" in answer or answer["error"]["data"]["status"] in (400, 500)


async def test_frames_that_break_the_protocol(served: Served, bystander: None, quiet: None) -> None:
    for frame in (
        b"\xff" * 64,
        b"\x83\x80aaaa",
        b"\x81\xff" + b"\xff" * 8,
        b"\x81\x82aaaa\xff\xff",
    ):
        async with served.connected() as socket:
            socket.transport.write(frame)
            async with asyncio.timeout(PATIENCE_SECONDS):
                await socket.wait_closed()
    await until(lambda: served.binding.connection_count == 1)


async def test_handshakes_that_are_none(served: Served, bystander: None) -> None:
    port = served.binding.port
    for request in (
        b"\x00" * 100,
        b"GET /things/lamp:1 HTTP/1.1\r\n\r\n",
        b"GET /things/lamp:1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n",
        b"GET /things/lamp:1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        b"GET /things/" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        writer.write_eof()
        async with asyncio.timeout(PATIENCE_SECONDS):
            answer = await reader.read()
        assert b" 101 " not in answer
        writer.close()
        await writer.wait_closed()

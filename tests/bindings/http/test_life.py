"""Starting and stopping."""

import asyncio
import contextlib
import socket

import httpx
import pytest
import uvloop

from servient.bindings.http.binding import HttpBinding
from servient.wot.servient import Servient
from tests.bindings.http.serving import DEADLINE_SECONDS, LAMP, serve

TOGGLED = f"{LAMP}/events/toggled"
GET_LEVEL = f"GET {LAMP}/properties/level HTTP/1.1\r\nHost: x\r\n\r\n".encode()


async def _stop_while_all_is_open() -> None:
    """Streams, polls, idle connections, half a request and a running action are all ended."""
    async with serve() as serving:
        never = asyncio.Event()
        serving.lamp.set_action_handler("toggle", lambda _: never.wait())
        port = serving.binding.port
        poll = asyncio.create_task(serving.get(TOGGLED))
        action = asyncio.create_task(serving.send("POST", f"{LAMP}/actions/toggle"))
        requests = [
            GET_LEVEL,
            GET_LEVEL[:20],
            b"",
            f"GET {TOGGLED} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n".encode(),
            f"POST {LAMP}/actions/double HTTP/1.1\r\nContent-Length: 9\r\n\r\n".encode(),
        ]
        connections = [await asyncio.open_connection("127.0.0.1", port) for _ in requests]
        for (_, writer), request in zip(connections, requests, strict=True):
            writer.write(request)
        await connections[0][0].readuntil(b"\r\n\r\n3")
        await connections[3][0].readuntil(b"\r\n\r\n")
        await serving.get(f"{LAMP}/properties/level")

        async with asyncio.timeout(DEADLINE_SECONDS):
            await serving.servient.shutdown()
            for reader, writer in connections:
                writer.write(GET_LEVEL)  # a kept connection does not go on answering
                assert b"HTTP/1.1 200" not in await _rest(reader)
                writer.close()
            assert (await poll).status_code == 503
            with contextlib.suppress(httpx.TransportError):  # if it is not told, it is cut off
                assert (await action).status_code >= 500
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def test_stopping_ends_everything() -> None:
    await _stop_while_all_is_open()


def test_stopping_ends_everything_on_uvloop() -> None:
    uvloop.run(_stop_while_all_is_open())


async def test_it_starts_again_on_its_port() -> None:
    servient = Servient()
    binding = HttpBinding("127.0.0.1", "127.0.0.1", 0)
    servient.add_server(binding)
    await servient.start()
    port = binding.port
    assert port != 0
    await servient.shutdown()
    await servient.start()
    assert binding.port == port
    await servient.shutdown()
    await binding.stop()  # once more does no harm


async def test_a_port_that_is_taken_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        servient = Servient()
        servient.add_server(HttpBinding("127.0.0.1", "127.0.0.1", taken.getsockname()[1]))
        with pytest.raises(OSError, match="in use"):
            await servient.start()


async def test_forms_carry_the_port_that_it_got() -> None:
    async with serve() as serving:
        forms = serving.servient.td(serving.lamp)["actions"]["toggle"]["forms"]
        assert forms[0]["href"].startswith(f"http://127.0.0.1:{serving.binding.port}/")
        assert serving.binding.port != 0

"""Subscribers that stop reading their sockets for a while, one for each wire."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol
from urllib.parse import urlsplit

from aiocoap import CON, GET
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from servient.app import App
from tests.bindings.coap.serving import RawPeer
from tests.consumers.paho import PahoClient

BUFFER_BYTES = 4096


class Stalled(Protocol):
    """Has subscribed, and reads no more."""

    async def last(self, value: Any) -> bool:
        """Read again: whether the value comes, or else the servient has ended it."""


Stall = Callable[[App, str, str], AbstractAsyncContextManager[Stalled]]


class _Stream:
    """Bytes of a socket that nobody reads until they are wanted."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    async def last(self, value: Any) -> bool:
        loop, wanted, seen = asyncio.get_running_loop(), json.dumps(value).encode(), b""
        wanted = wanted.replace(b" ", b"")
        while data := await loop.sock_recv(self._connection, 1 << 20):
            seen = seen[-2 * len(wanted) :] + data.replace(b" ", b"")
            if wanted in seen:
                return True
        return False


async def _connected(url: str) -> socket.socket:
    address = urlsplit(url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, (address.hostname, address.port))
    return connection


@contextlib.asynccontextmanager
async def stream(app: App, thing: str, name: str) -> AsyncIterator[Stalled]:
    """Server-Sent Events."""
    with await _connected(app.addresses()["http"]) as connection:
        path = f"/things/{thing}/properties/{name}/observe"
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n"
        await asyncio.get_running_loop().sock_sendall(connection, head.encode())
        yield _Stream(connection)


@contextlib.asynccontextmanager
async def poll(app: App, thing: str, name: str) -> AsyncIterator[Stalled]:
    """A long poll whose answer waits, and the polls after it."""
    path = f"/things/{thing}/properties/{name}/observe"
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with await _connected(app.addresses()["http"]) as connection:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(connection, head)

        class Poll:
            async def last(self, value: Any) -> bool:
                wanted = json.dumps(value).encode().replace(b" ", b"")
                while True:
                    seen = b""
                    while not seen.endswith(b"}"):
                        data = await loop.sock_recv(connection, 1 << 20)
                        if not data:
                            return False
                        seen += data
                    if wanted in seen:
                        return True
                    await loop.sock_sendall(connection, head)

        yield Poll()


@contextlib.asynccontextmanager
async def coap(app: App, thing: str, name: str) -> AsyncIterator[Stalled]:
    """An observer that acknowledges nothing for a while."""
    peer = RawPeer(app.bindings["coap"].port)
    try:
        await peer.request(GET, f"/things/{thing}/properties/{name}", observe=0)
        await peer.receive()

        class Observer:
            async def last(self, value: Any) -> bool:
                while True:
                    message = await peer.receive()
                    if message.mtype is CON:
                        await peer.acknowledge(message)
                    if message.payload and json.loads(message.payload) == value:
                        return True

        yield Observer()
    finally:
        peer.close()


def websocket(subprotocol: str | None) -> Stall:
    @contextlib.asynccontextmanager
    async def subscribe(app: App, thing: str, name: str) -> AsyncIterator[Stalled]:
        url = f"{app.addresses()['websocket']}/things/{thing}"
        sock = await _connected(url)
        offered = [Subprotocol(subprotocol)] if subprotocol else None
        td = app.servient.td(app.servient.exposed(thing))
        if subprotocol:
            asked = {
                "thingID": td["id"],
                "messageID": "1",
                "messageType": "request",
                "operation": "observeproperty",
                "name": name,
            }
        else:
            params = {"name": name}
            asked = {"jsonrpc": "2.0", "id": 1, "method": "on_property_change", "params": params}
        async with connect(
            url, sock=sock, subprotocols=offered, max_queue=1, close_timeout=0.5
        ) as socket_:
            await socket_.send(json.dumps(asked))
            await socket_.recv()

            class Subscriber:
                async def last(self, value: Any) -> bool:
                    async for text in socket_:
                        message = json.loads(text)
                        found = message.get("value", (message.get("data") or {}).get("value"))
                        if found == value:
                            return True
                    return False

            yield Subscriber()

    return subscribe


@contextlib.asynccontextmanager
async def mqtt(app: App, thing: str, name: str) -> AsyncIterator[Stalled]:
    """The broker is the subscriber's own affair: what it has of it is what is retained."""
    assert app.broker is not None
    async with PahoClient(app.broker.host, app.broker.port) as client:

        class Subscriber:
            async def last(self, value: Any) -> bool:
                topic = f"{app.config.topic_prefix}/things/{thing}/properties/{name}"
                async with client.listening(topic) as messages:
                    while json.loads((await messages.get()).payload) != value:
                        pass
                return True

        yield Subscriber()


STALLED: dict[str, Stall] = {
    "sse": stream,
    "longpoll": poll,
    "coap": coap,
    "websocket-webthing": websocket("webthingprotocol"),
    "websocket-jsonrpc": websocket(None),
    "mqtt": mqtt,
}

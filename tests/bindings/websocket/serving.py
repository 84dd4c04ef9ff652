"""A served lamp, and raw sockets to it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from servient.bindings.websocket.binding import WebSocketBinding
from servient.wot.entry import WoT
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing
from tests.things import THING, expose_lamp

PATIENCE_SECONDS = 20.0
WEB_THING = "webthingprotocol"
LAMP_ID = f"urn:test:{THING}"


class Served:
    """A running servient with one binding and one lamp."""

    def __init__(self, servient: Servient, binding: WebSocketBinding, wot: WoT) -> None:
        self.servient = servient
        self.binding = binding
        self.wot = wot
        self.lamp: ExposedThing = expose_lamp(wot)

    @property
    def td(self) -> dict[str, Any]:
        return self.servient.td(self.lamp)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.binding.port}/things/{self.lamp.name}"

    @contextlib.asynccontextmanager
    async def connected(
        self, subprotocol: str | None = None, **options: Any
    ) -> AsyncIterator[ClientConnection]:
        offered: Any = [subprotocol] if subprotocol else None
        async with connect(
            self.url,
            subprotocols=offered,
            compression=None,
            proxy=None,
            max_size=None,
            **options,
        ) as socket:
            yield socket


@contextlib.asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Served]:
    servient = Servient()
    binding = WebSocketBinding("127.0.0.1", "127.0.0.1", 0, **options)
    servient.add_server(binding)
    wot = await servient.start()
    try:
        yield Served(servient, binding, wot)
    finally:
        await servient.shutdown()


async def receive(socket: ClientConnection) -> Any:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return json.loads(await socket.recv())


async def ask(socket: ClientConnection, message: Any) -> Any:
    """The next message after sending one, which is its answer when nothing else is under way."""
    await socket.send(message if isinstance(message, str | bytes) else json.dumps(message))
    return await receive(socket)


async def closing(socket: ClientConnection) -> tuple[int | None, str | None]:
    """Wait for the servient to close the socket: its code and reason."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        await socket.wait_closed()
    return socket.close_code, socket.close_reason


async def until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not claim():
            await asyncio.sleep(0.005)


def rpc(method: str, number: Any = 1, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def wtp(operation: str, name: str, **members: Any) -> dict[str, Any]:
    return {
        "thingID": LAMP_ID,
        "messageID": "c370da58-69ae-4e83-bb5a-ac6cfb2fed54",
        "messageType": "request",
        "operation": operation,
        "name": name,
        **members,
    }

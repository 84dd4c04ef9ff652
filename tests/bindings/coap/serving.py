"""A servient with the CoAP binding alone, the lamp of all wires, and clients that see every message."""

import asyncio
import itertools
import json
import random
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import aiocoap
from aiocoap import Message
from aiocoap.numbers.types import ACK, CON, NON, RST, Type

from servient.bindings.coap.binding import CoapBinding
from servient.wot.entry import WoT
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing
from tests.things import expose_lamp

DEADLINE_SECONDS = 20.0
LAMP = "/things/lamp:1"
JSON = 50


class RawPeer:
    """A CoAP endpoint that does nothing by itself: no acknowledgement, no retransmission."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.connect((host, port))
        # From anywhere: a peer may get the port of an earlier one, whose messages are remembered.
        self._ids = itertools.count(random.randrange(1, 2**15))

    def close(self) -> None:
        self._socket.close()

    async def send_bytes(self, data: bytes) -> None:
        while True:
            try:
                await asyncio.get_running_loop().sock_sendall(self._socket, data)
                return
            except ConnectionRefusedError:
                continue  # of an earlier datagram

    async def send(self, message: Message) -> Message:
        await self.send_bytes(message.encode())
        return message

    async def request(
        self, code: Any, path: str, *, kind: Type = CON, token: bytes = b"t", **options: Any
    ) -> Message:
        """Send a request and return it; `path` is not percent-encoded."""
        message = Message(code=code, _mtype=kind, _mid=next(self._ids), _token=token, **options)
        message.opt.uri_path = path.split("/")[1:]
        return await self.send(message)

    async def receive(self) -> Message:
        async with asyncio.timeout(DEADLINE_SECONDS):
            data = await asyncio.get_running_loop().sock_recv(self._socket, 65_535)
        return Message.decode(data)

    async def ask(self, code: Any, path: str, **options: Any) -> Message:
        """The response that comes in the acknowledgement."""
        request = await self.request(code, path, **options)
        response = await self.receive()
        assert (response.mtype, response.mid) == (ACK, request.mid)
        return response

    async def acknowledge(self, message: Message, kind: Type = ACK) -> None:
        assert message.mtype is CON
        await self.send(Message(code=aiocoap.EMPTY, _mtype=kind, _mid=message.mid))

    async def reject(self, message: Message) -> None:
        await self.acknowledge(message, RST)

    async def is_silent(self) -> bool:
        """Whether nothing more is on its way: a ping is answered before anything else comes."""
        ping = Message(code=aiocoap.EMPTY, _mtype=CON, _mid=next(self._ids))
        await self.send(ping)
        response = await self.receive()
        return (response.mtype, response.mid) == (RST, ping.mid)


@dataclass(frozen=True)
class Serving:
    servient: Servient
    wot: WoT
    binding: CoapBinding
    lamp: ExposedThing

    @contextmanager
    def peer(self) -> Iterator[RawPeer]:
        peer = RawPeer(self.binding.port)
        try:
            yield peer
        finally:
            peer.close()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[aiocoap.Context]:
        context = await aiocoap.Context.create_client_context(transports=["udp6"])
        try:
            yield context
        finally:
            await context.shutdown()

    async def ask(self, code: Any, path: str, payload: bytes = b"", **options: Any) -> Message:
        """What aiocoap's client gets, blocks put together. A payload without a format is JSON."""
        if payload:
            options.setdefault("content_format", JSON)
        uri = self.binding.origin + path
        message = Message(code=code, uri=uri, payload=payload, **options)
        async with self.client() as client, asyncio.timeout(DEADLINE_SECONDS):
            return await client.request(message).response

    async def observers(self, count: int) -> None:
        """Wait until there are so many."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while self.binding.observers != count:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def serve(
    host: str = "127.0.0.1", public_host: str | None = None, **settings: Any
) -> AsyncIterator[Serving]:
    servient = Servient(invocation_deadline_seconds=settings.pop("deadline_seconds", 30.0))
    binding = CoapBinding(public_host or host, host, 0, **settings)
    servient.add_server(binding)
    wot = await servient.start()
    try:
        yield Serving(servient, wot, binding, expose_lamp(wot))
    finally:
        await servient.shutdown()


def problem_of(response: Message) -> tuple[str, Any]:
    """The code of a refusal, dotted, and its problem, which every refusal has."""
    assert not response.code.is_successful()
    assert response.opt.content_format == JSON
    problem = json.loads(response.payload)
    assert problem["type"].startswith("urn:wasm-servient:problem:")
    assert problem["title"]
    assert problem["detail"]
    return response.code.dotted, problem


__all__ = ["ACK", "CON", "DEADLINE_SECONDS", "JSON", "LAMP", "NON", "RST", "RawPeer", "Serving"]

"""A servient with the HTTP binding alone, the lamp of all wires, and raw access to its socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from servient.bindings.http.binding import HttpBinding
from servient.wot.entry import WoT
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing
from tests.things import expose_lamp

DEADLINE_SECONDS = 20.0
LAMP = "/things/lamp:1"


@dataclass(frozen=True)
class Serving:
    servient: Servient
    wot: WoT
    binding: HttpBinding
    lamp: ExposedThing
    client: httpx.AsyncClient

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.client.get(self.binding.origin + path, **options)

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await self.client.request(method, self.binding.origin + path, **options)

    async def raw(self, request: bytes, *, is_finished: bool = False) -> bytes:
        """All that comes back until the servient closes the connection.

        A finished request is followed by the end of our side of the connection.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", self.binding.port)
        try:
            writer.write(request)
            if is_finished:
                writer.write_eof()
            async with asyncio.timeout(DEADLINE_SECONDS):
                return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()


@asynccontextmanager
async def serve(host: str = "127.0.0.1", **settings: Any) -> AsyncIterator[Serving]:
    servient = Servient()
    binding = HttpBinding(host, host, 0, **settings)
    servient.add_server(binding)
    wot = await servient.start()
    try:
        async with httpx.AsyncClient(timeout=DEADLINE_SECONDS, trust_env=False) as client:
            yield Serving(servient, wot, binding, expose_lamp(wot), client)
    finally:
        await servient.shutdown()


def is_problem(response: httpx.Response, status: int) -> bool:
    """Whether an answer is a Problem Details object that says what its status line says."""
    return (
        response.status_code == status
        and response.headers["content-type"] == "application/problem+json"
        and response.json()["status"] == status
        and bool(response.json()["detail"])
    )

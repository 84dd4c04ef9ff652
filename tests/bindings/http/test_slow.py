"""Clients that send bit by bit, so slowly that they never end."""

import asyncio
import contextlib

import httpx
import pytest

from servient.bindings.http.protocol import Limits
from tests.bindings.http.serving import DEADLINE_SECONDS, LAMP, serve

DRIPPING = [
    b"GET / HTTP/1.1\r\n" + b"X-Drip: 1\r\n" * 1000,
    b"POST /things/lamp/actions/double HTTP/1.1\r\nContent-Length: 9000\r\n\r\n" + b" " * 9000,
]


@pytest.mark.parametrize("request_bytes", DRIPPING)
async def test_who_drips_is_cut_off_though_never_silent(request_bytes: bytes) -> None:
    limits = Limits(silence_seconds=30, head_seconds=0.3, body_seconds=0.3)
    async with serve(limits=limits) as serving:
        reader, writer = await asyncio.open_connection("127.0.0.1", serving.binding.port)

        async def drip() -> None:
            for at in range(0, len(request_bytes), 16):
                writer.write(request_bytes[at : at + 16])
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        async with asyncio.timeout(DEADLINE_SECONDS):
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        dripping.cancel()
        writer.close()
        assert (await serving.get(f"{LAMP}/properties/level")).status_code == 200


async def test_a_kept_connection_may_wait_between_requests() -> None:
    limits = Limits(head_seconds=0.2, body_seconds=0.2)
    async with (
        serve(limits=limits) as serving,
        httpx.AsyncClient(base_url=serving.binding.origin) as client,
    ):
        for _ in range(3):
            answer = await client.get(f"{LAMP}/properties/level")
            assert answer.status_code == 200
            stream = answer.extensions["network_stream"].get_extra_info("client_addr")
            await asyncio.sleep(0.3)
        assert answer.extensions["network_stream"].get_extra_info("client_addr") == stream

"""A broker that does what a test wants, byte by byte."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from servient.mqtt.message import Broker

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

ACCEPTED_5 = b"\x20\x03\x00\x00\x00"
ACCEPTED_3 = b"\x20\x02\x00\x00"


@contextlib.asynccontextmanager
async def scripted(behaviour: Behaviour) -> AsyncIterator[Broker]:
    """Every connection is handed to `behaviour`, and closed when it returns."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await behaviour(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Broker("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await server.wait_closed()


async def read_packet(reader: asyncio.StreamReader) -> bytes:
    """One packet with its header; lengths below 128 only."""
    header = await reader.readexactly(2)
    return header + await reader.readexactly(header[1])

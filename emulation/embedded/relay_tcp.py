"""Relays connections to one port of a replica: each segment is as late as the lines make it."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Coroutine
from typing import TypeAlias

from emulation.embedded.way import HANDSHAKE_BYTES, HEADS_BYTES, SEGMENT_BYTES, Way

# On the way, in each direction of each connection.
SEGMENTS_LIMIT = 4096
RETRY_SECONDS = 0.02
# The ways to the replica and back, of a client by its address.
WaysOf: TypeAlias = Callable[[str], tuple[Way, Way]]
OnItsWay: TypeAlias = "asyncio.Queue[tuple[float, bytes]]"


class TcpRelay:
    """Between a listening address and that of a replica."""

    def __init__(self, ways_of: WaysOf, replica_address: tuple[str, int]) -> None:
        self._ways_of = ways_of
        self._replica_address = replica_address

    async def serve(self, listening: socket.socket) -> asyncio.Server:
        return await asyncio.start_server(self._connected, sock=listening)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError), contextlib.closing(writer):
            there, back = self._ways_of(writer.get_extra_info("peername")[0])
            for way in (there, back):  # whoever opens a connection waits for a round trip
                await _sleep_until(await _depart(way, HANDSHAKE_BYTES))
            inner_reader, inner_writer = await asyncio.open_connection(*self._replica_address)
            with contextlib.closing(inner_writer):
                await _both(_carry(there, reader, inner_writer), _carry(back, inner_reader, writer))


async def _both(*carried: Coroutine[None, None, None]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for each in carried:
                group.create_task(each, name="relay")
    except* OSError:
        pass  # one end being gone is the end of the other


async def _carry(way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until the end of what is read, in order."""
    on_its_way: OnItsWay = asyncio.Queue(SEGMENTS_LIMIT)
    latest = 0.0
    async with asyncio.TaskGroup() as group:
        group.create_task(_arrive(way, on_its_way, writer), name="arrivals")
        while True:
            data = await reader.read(SEGMENT_BYTES)
            latest = max(latest, await _depart(way, len(data) + HEADS_BYTES))
            await on_its_way.put((latest, data))
            if not data:
                return


async def _depart(way: Way, size: int) -> float:
    """When a segment of this size arrives that is sent as soon as there is room for it."""
    while True:
        arrival = way.deliver(time.monotonic(), size)
        if arrival is not None:
            return arrival
        await asyncio.sleep(RETRY_SECONDS)


async def _arrive(way: Way, on_its_way: OnItsWay, writer: asyncio.StreamWriter) -> None:
    while True:
        due, data = await on_its_way.get()
        await _sleep_until(due)
        if not data:
            if writer.can_write_eof():
                writer.write_eof()
            return
        way.count(len(data) + HEADS_BYTES, due)
        writer.write(data)
        await writer.drain()


async def _sleep_until(due: float) -> None:
    if (wait := due - time.monotonic()) > 0:
        await asyncio.sleep(wait)

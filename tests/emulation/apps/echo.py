"""Counts the datagrams of floods."""

import asyncio
import contextlib
import json
import socket
import time
from typing import Any

SO_RCVBUFFORCE = 33
FLOOD_PORT = 9


class Flooded(asyncio.DatagramProtocol):
    """A datagram that begins with `?` asks for what came, one with `!` begins anew."""

    def __init__(self) -> None:
        self.arrivals: list[tuple[float, int]] = []

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if data.startswith(b"?"):
            self.transport.sendto(json.dumps(self.figures()).encode(), addr)
        elif data.startswith(b"!"):
            self.arrivals.clear()
        else:
            self.arrivals.append((time.perf_counter(), len(data)))

    def figures(self) -> dict[str, float]:
        seconds = self.arrivals[-1][0] - self.arrivals[0][0] if self.arrivals else 0.0
        size = sum(size for _, size in self.arrivals[1:])
        return {"packets": len(self.arrivals), "bytes": size, "seconds": seconds}


async def app(wot: Any, conf: Any, loop: asyncio.AbstractEventLoop) -> None:
    transport, _ = await loop.create_datagram_endpoint(Flooded, local_addr=("0.0.0.0", FLOOD_PORT))
    # What is lost is to be lost on the way, not here.
    with contextlib.suppress(PermissionError):
        listening = transport.get_extra_info("socket")
        listening.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 2**23)
    await asyncio.Event().wait()

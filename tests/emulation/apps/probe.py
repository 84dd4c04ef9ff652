"""Measures the way to an echo node, and writes what it found into a file."""

import asyncio
import json
import statistics
import time
from pathlib import Path
from typing import Any

from tests.emulation.apps.echo import FLOOD_PORT, PORT

PING_SECONDS = 0.05


class Pings(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.answer = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if data.startswith(b"{"):
            self.answer.set_result(json.loads(data))
        else:
            self.seconds.append(time.perf_counter() - float(data))


async def ping(loop: asyncio.AbstractEventLoop, host: str, seconds: float) -> list[float]:
    """Round trips; the first one also waits for ARP."""
    transport, pings = await loop.create_datagram_endpoint(Pings, remote_addr=(host, PORT))
    transport.sendto(str(time.perf_counter()).encode())
    await asyncio.sleep(0.2)
    for _ in range(int(seconds / PING_SECONDS)):
        transport.sendto(str(time.perf_counter()).encode())
        await asyncio.sleep(PING_SECONDS)
    await asyncio.sleep(3)
    transport.close()
    return pings.seconds[1:]


async def flood(
    loop: asyncio.AbstractEventLoop, host: str, rate_kbit: float, seconds: float, size: int
) -> dict[str, float]:
    """What arrived of so much per second."""
    transport, pings = await loop.create_datagram_endpoint(Pings, remote_addr=(host, FLOOD_PORT))
    transport.sendto(b"!")
    await asyncio.sleep(1)
    start, sent = time.perf_counter(), 0
    payload = bytes(size - 42)
    while (now := time.perf_counter() - start) < seconds:
        while sent * size * 8 / 1000 < rate_kbit * now:
            transport.sendto(payload)
            sent += 1
        await asyncio.sleep(0.001)
    await asyncio.sleep(4)
    while not pings.answer.done():
        transport.sendto(b"?")
        await asyncio.wait([pings.answer], timeout=1.7)
    transport.close()
    return {**pings.answer.result(), "sent": sent}


async def app(
    wot: Any,
    conf: Any,
    loop: asyncio.AbstractEventLoop,
    host: str,
    out: str,
    ping_seconds: str = "0",
    rate_kbit: str = "0",
    after_seconds: str = "0",
    flood_seconds: str = "3",
    size: str = "1514",
) -> None:
    found: dict[str, Any] = {}
    if float(ping_seconds):
        found["round_trips"] = statistics.median(await ping(loop, host, float(ping_seconds)))
    if float(rate_kbit):
        await asyncio.sleep(float(after_seconds))
        found |= await flood(loop, host, float(rate_kbit), float(flood_seconds), int(size))
    part = Path(f"{out}.part")
    part.write_text(json.dumps(found))
    part.rename(out)

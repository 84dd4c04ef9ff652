"""Measures the way to an echo node, and writes what it found into a file."""

import asyncio
import json
import os
import socket
import statistics
import struct
import time
from pathlib import Path
from typing import Any

from tests.emulation.apps.echo import FLOOD_PORT

SO_TIMESTAMPNS = 35
PING_SECONDS = 0.05


class Answers(asyncio.DatagramProtocol):
    """The flooded node's figures."""

    def __init__(self) -> None:
        self.answer = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if not self.answer.done():
            self.answer.set_result(json.loads(data))


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - int(total + (total >> 16)) % 0x10000


def echo_request(number: int) -> bytes:
    """ICMP (RFC 792), with the time in it."""
    payload = struct.pack("!d", time.time())
    head = struct.pack("!BBHHH", 8, 0, 0, os.getpid() & 0xFFFF, number)
    head = struct.pack("!BBHHH", 8, 0, checksum(head + payload), os.getpid() & 0xFFFF, number)
    return head + payload


async def ping(
    loop: asyncio.AbstractEventLoop, host: str, seconds: float, settle_seconds: float
) -> list[float]:
    """Round trips as the kernels see them: how busy the machine is shows in neither end."""
    found: list[float] = []
    address = (await loop.getaddrinfo(host, None, family=socket.AF_INET))[0][4][0]
    pinging = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    pinging.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    pinging.setblocking(False)

    def answered() -> None:
        data, extra, _, _ = pinging.recvmsg(2048, 128)
        if data[20] == 0:  # after the header of IP: an echo's reply
            whole, rest = struct.unpack("ll", extra[0][2])
            found.append(whole + rest / 1e9 - struct.unpack_from("!d", data, 28)[0])

    loop.add_reader(pinging.fileno(), answered)
    for number in range(int(seconds / PING_SECONDS)):
        pinging.sendto(echo_request(number), (address, 0))
        await asyncio.sleep(PING_SECONDS)
    await asyncio.sleep(settle_seconds)
    loop.remove_reader(pinging.fileno())
    pinging.close()
    return found[1:]  # the first one also waits for ARP


async def flood(
    loop: asyncio.AbstractEventLoop,
    host: str,
    rate_kbit: float,
    seconds: float,
    size: int,
    settle_seconds: float,
) -> dict[str, float]:
    """What arrived of so much per second."""
    transport, answers = await loop.create_datagram_endpoint(
        Answers, remote_addr=(host, FLOOD_PORT)
    )
    transport.sendto(b"!")
    await asyncio.sleep(1)
    start, sent = time.perf_counter(), 0
    payload = bytes(size - 42)
    while (now := time.perf_counter() - start) < seconds:
        while sent * size * 8 / 1000 < rate_kbit * now:
            transport.sendto(payload)
            sent += 1
        await asyncio.sleep(0.001)
    await asyncio.sleep(settle_seconds)
    while not answers.answer.done():
        transport.sendto(b"?")
        await asyncio.wait([answers.answer], timeout=1.7)
    transport.close()
    return {**answers.answer.result(), "sent": sent, "flood_seconds": now}


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
    settle_seconds: str = "1",
) -> None:
    """`settle_seconds`: after which all that was sent has come, or is lost."""
    settle = float(settle_seconds)
    found: dict[str, Any] = {}
    if float(ping_seconds):
        found["round_trips"] = statistics.mean(await ping(loop, host, float(ping_seconds), settle))
    if float(rate_kbit):
        await asyncio.sleep(float(after_seconds))
        offered = (float(rate_kbit), float(flood_seconds), int(size))
        found |= await flood(loop, host, *offered, settle)
    part = Path(f"{out}.part")
    part.write_text(json.dumps(found))
    part.rename(out)

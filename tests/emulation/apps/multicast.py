"""Joins a group; one of its replicas also calls, and writes who answered into a file."""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

GROUP, PORT = "224.0.1.187", 5683


class Member(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answers: set[str] = set()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if data == b"who?":
            self.transport.sendto(b"me", addr)
        else:
            self.answers.add(addr[0])


async def app(
    wot: Any, conf: Any, loop: asyncio.AbstractEventLoop, out: str = "", answers: str = "0"
) -> None:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("", PORT))
    membership = socket.inet_aton(GROUP) + socket.inet_aton("0.0.0.0")
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    transport, member = await loop.create_datagram_endpoint(Member, sock=sock)
    while out and len(member.answers) < int(answers):
        transport.sendto(b"who?", (GROUP, PORT))
        await asyncio.sleep(0.2)
    if out:
        part = Path(f"{out}.part")
        part.write_text(json.dumps(sorted(member.answers)))
        part.rename(out)
    await asyncio.Event().wait()

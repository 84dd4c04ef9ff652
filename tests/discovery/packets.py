"""What is said by multicast DNS on loopback, packet by packet."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from zeroconf._dns import DNSRecord
from zeroconf._protocol.incoming import DNSIncoming

GROUP, PORT = "224.0.0.251", 5353
DEADLINE_SECONDS = 20.0


@dataclass
class Packets(asyncio.DatagramProtocol):
    """The answers that were sent, each packet as its records."""

    answers: list[list[DNSRecord]] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def datagram_received(self, data: bytes, _: object) -> None:
        packet = DNSIncoming(data)
        if packet.valid and packet.is_response():
            self.answers.append(list(packet.answers()))
            self._changed.set()

    def of(self, name: str) -> list[list[DNSRecord]]:
        """The packets in which something is said of this name, or of a type that it belongs to."""
        return [records for records in self.answers if any(_is_of(r, name) for r in records)]

    def goodbyes(self, name: str) -> list[DNSRecord]:
        """Records of this name that are no longer true."""
        return [r for records in self.answers for r in records if _is_of(r, name) and r.ttl == 0]

    async def wait_for(self, name: str, count: int = 1) -> list[list[DNSRecord]]:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while len(found := self.of(name)) < count:
                self._changed.clear()
                await self._changed.wait()
        return found


def _is_of(record: DNSRecord, name: str) -> bool:
    return record.name == name or getattr(record, "alias", None) == name


@contextlib.asynccontextmanager
async def listening() -> AsyncIterator[Packets]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((GROUP, PORT))
        member = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton("127.0.0.1"))
        listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        listener.setblocking(False)
        loop = asyncio.get_running_loop()
        transport, packets = await loop.create_datagram_endpoint(Packets, sock=listener)
        try:
            yield packets
        finally:
            transport.close()

"""Counts what the switch carries and drops, by network, sender, receiver and protocol."""

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from emulation.embedded.shaper import Fate

ETHERNET_BYTES = 14
ARP, IPV4, IPV6 = 0x0806, 0x0800, 0x86DD
TRANSPORTS = {1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 58: "icmp"}
DNS_SERVICE_DISCOVERY_PORT = 5353


class Count(NamedTuple):
    """What passed since the count before, or what was dropped for one reason."""

    network: str
    sender: str
    receiver: str
    protocol: str
    packets: int
    data_bytes: int
    dropped: int
    reason: str


def classify(frame: bytes, ports: dict[int, str]) -> str:
    """The protocol by the ports of a frame with IP, else the transport's name."""
    if len(frame) < ETHERNET_BYTES + 24:
        return "other"
    kind = int.from_bytes(frame[12:14], "big")
    if kind == IPV4:
        transport, payload = frame[23], ETHERNET_BYTES + (frame[14] & 15) * 4
    elif kind == IPV6:
        transport, payload = frame[20], ETHERNET_BYTES + 40
    else:
        return "arp" if kind == ARP else "other"
    if transport in (6, 17) and len(frame) >= payload + 4:
        one, other = struct.unpack_from("!HH", frame, payload)
        known = ports.get(other) or ports.get(one)
        if known:
            return known
    return TRANSPORTS.get(transport, "other")


class Traffic:
    """Counters since they were last taken."""

    def __init__(self) -> None:
        self._passed: dict[tuple[str, str, str, str], list[int]] = {}
        self._dropped: dict[tuple[str, str, str, str, Fate], int] = {}
        self._lateness = 0.0

    def was_late(self, seconds: float) -> None:
        self._lateness = max(self._lateness, seconds)

    def take_lateness(self) -> float:
        """The longest since it was last taken."""
        found, self._lateness = self._lateness, 0.0
        return found

    def passed(self, network: str, sender: str, receiver: str, protocol: str, size: int) -> None:
        key = (network, sender, receiver, protocol)
        count = self._passed.get(key)
        if count is None:
            self._passed[key] = [1, size]
        else:
            count[0] += 1
            count[1] += size

    def dropped(
        self,
        network: str,
        sender: str,
        receiver: str,
        protocol: str,
        why: Fate,
        packets: int = 1,
    ) -> None:
        key = (network, sender, receiver, protocol, why)
        self._dropped[key] = self._dropped.get(key, 0) + packets

    def take(self) -> list[Count]:
        """All counts; they begin at zero again."""
        found = list(self._counts())
        self._passed.clear()
        self._dropped.clear()
        return found

    def _counts(self) -> Iterator[Count]:
        for key, (packets, size) in self._passed.items():
            yield Count(*key, packets, size, 0, "")
        for (*names, why), number in self._dropped.items():
            yield Count(*_strings(names), 0, 0, number, str(why))


def _strings(names: list[Any]) -> tuple[str, str, str, str]:
    network, sender, receiver, protocol = names
    return network, sender, receiver, protocol

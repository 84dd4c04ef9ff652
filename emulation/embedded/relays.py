"""Networks without any namespace: a relay for each port of each replica, between loopback addresses."""

import asyncio
import contextlib
import functools
import resource
import signal
import socket
import time
from dataclasses import dataclass

from emulation.embedded.carrier import Report, Tell
from emulation.embedded.plan import Plan
from emulation.embedded.relay_tcp import TcpRelay, WaysOf
from emulation.embedded.relay_udp import UdpRelay
from emulation.embedded.shaper import Line
from emulation.embedded.traffic import Traffic
from emulation.embedded.way import End, Way
from emulation.topology.link import Link
from emulation.topology.node import Node
from emulation.topology.services import Broker
from emulation.topology.topology import TopologyPorts

REPORT_SECONDS = 1.0
BACKLOG = 256
# Who is no replica has no line.
ANYBODY = Line(Link(is_shared=False), "")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where relays listen, and where replicas do."""

    relays: dict[str, dict[str, str]]
    """By the replica and the network."""
    replicas: dict[str, str]


class Relays:
    """All networks of an emulation."""

    def __init__(
        self, plan: Plan, addresses: Addresses, ports: TopologyPorts, seed: int, tell: Tell
    ) -> None:
        self._plan = plan
        self._addresses = addresses
        self._names = {address: name for name, address in addresses.replicas.items()}
        self._ports = ports
        self._tell = tell
        self._traffic = Traffic()
        self._lines: dict[str, Line] = {}
        self._ends: dict[tuple[str, str], End] = {}
        self._kept: list[object] = []
        for place in plan.places:
            for port in place.ports:
                name = port.network if port.is_shared else f"{port.network}/{place.name}"
                line = self._lines.setdefault(name, Line(port.link, f"{seed}/{name}"))
                self._ends[port.network, place.name] = End(place.name, port, line)

    def run(self) -> None:
        """Until SIGTERM. On SIGUSR1, the links' schedules begin."""
        asyncio.run(self._run())

    async def _run(self) -> None:
        _raise_files_limit()
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, self._begin)
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
        for place in self._plan.places:
            for port in place.ports:
                await self._listen(place.kind, self._ends[port.network, place.name])
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REPORT_SECONDS):
                    await stop.wait()
            self._tell(Report(self._traffic.take(), self._traffic.take_lateness(), 0))

    def _begin(self) -> None:
        for line in self._lines.values():
            line.begin(time.monotonic())

    async def _listen(self, kind: Node | Broker, end: End) -> None:
        front = self._addresses.relays[end.replica][end.port.network]
        back = self._addresses.replicas[end.replica]
        streams, datagrams = self._ports_of(kind)
        for port, protocol in streams.items():
            listening = socket.create_server((front, port), backlog=BACKLOG)
            relay = TcpRelay(self._ways_to(end, protocol), (back, port))
            self._kept.append(await relay.serve(listening))
        for port, protocol in datagrams.items():
            make = functools.partial(UdpRelay, self._ways_to(end, protocol), (back, port))
            loop = asyncio.get_running_loop()
            found = await loop.create_datagram_endpoint(make, local_addr=(front, port))
            self._kept.append(found)

    def _ports_of(self, kind: Node | Broker) -> tuple[dict[int, str], dict[int, str]]:
        """By port, the protocols of a replica's streams and datagrams."""
        tcp, udp = (
            kind.other_ports(transport) if isinstance(kind, Node) else ()
            for transport in ("TCP", "UDP")
        )
        return (
            dict.fromkeys(tcp, "tcp") | self._ports.streams,
            dict.fromkeys(udp, "udp") | self._ports.datagrams,
        )

    def _ways_to(self, end: End, protocol: str) -> WaysOf:
        @functools.cache
        def ways_of(address: str) -> tuple[Way, Way]:
            client = self._ends.get((end.port.network, self._names.get(address, "")))
            if client is None:
                client = End("", end.port, end.line if end.port.is_shared else ANYBODY)
            there = Way(client, end, protocol, self._traffic)
            return there, Way(end, client, protocol, self._traffic)

        return ways_of


def _raise_files_limit() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

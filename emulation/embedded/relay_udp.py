"""Relays datagrams to one port of a replica: each is as late as its line makes it, or is lost."""

import asyncio
import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from emulation.embedded.relay_tcp import WaysOf
from emulation.embedded.shaper import Fate
from emulation.embedded.way import Way

HEADS_BYTES = 42
# Of clients whose answers find their way back; the one that was silent longest is forgotten first.
CLIENTS_LIMIT = 1000


class UdpRelay(asyncio.DatagramProtocol):
    """Between an address and that of a replica, with a socket of its own for each client."""

    def __init__(self, ways_of: WaysOf, replica_address: tuple[str, int]) -> None:
        self._ways_of = ways_of
        self._replica_address = replica_address
        self._loop = asyncio.get_running_loop()
        self._clients: OrderedDict[Any, socket.socket] = OrderedDict()
        self._front: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._front = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        back = self._clients.get(addr) or self._open(addr)
        self._clients.move_to_end(addr)
        self._pass(self._ways_of(addr[0])[0], data, lambda: _send(back, data))

    def connection_lost(self, exc: Exception | None) -> None:
        while self._clients:
            self._forget(self._clients.popitem()[1])

    def _open(self, client: Any) -> socket.socket:
        if len(self._clients) >= CLIENTS_LIMIT:
            self._forget(self._clients.popitem(last=False)[1])
        back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        back.setblocking(False)
        back.connect(self._replica_address)
        self._loop.add_reader(back, self._answered, back, client)
        self._clients[client] = back
        return back

    def _forget(self, back: socket.socket) -> None:
        self._loop.remove_reader(back)
        back.close()

    def _answered(self, back: socket.socket, client: Any) -> None:
        try:
            data = back.recv(65536)
        except OSError:  # nobody listens there yet
            return
        self._pass(self._ways_of(client[0])[1], data, lambda: self._front.sendto(data, client))

    def _pass(self, way: Way, data: bytes, send: Callable[[], None]) -> None:
        now, size = time.monotonic(), len(data) + HEADS_BYTES
        arrival = way.pass_through(now, size)
        if isinstance(arrival, Fate):
            way.drop(arrival)
            return

        def arrive() -> None:
            way.count(size, arrival)
            send()

        self._loop.call_later(max(0.0, arrival - now), arrive)


def _send(back: socket.socket, data: bytes) -> None:
    try:
        back.send(data)
    except OSError:  # forgotten meanwhile, or nobody listens there
        return

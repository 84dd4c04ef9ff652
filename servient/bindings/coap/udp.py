"""One UDP socket: datagrams in, datagrams out, and who is not there any more."""

import asyncio
import errno
import logging
import select
import socket
import struct
from collections.abc import Callable
from typing import Any, Self, TypeAlias

from aiocoap.interfaces import MessageInterface
from aiocoap.transports.udp6 import UDP6EndpointAddress
from aiocoap.util.socknumbers import IP_RECVERR, IPV6_RECVERR, MSG_ERRQUEUE

from servient.bindings.coap.incoming import decode
from servient.bindings.coap.options import Malformed

logger = logging.getLogger(__name__)

DATAGRAM_BYTES = 65_535
_ANCILLARY_BYTES = 512
# As many datagrams are read at once; then other work of the loop has its turn.
_BURST = 32
_SEND_BUFFER_BYTES = 1 << 20


# Gets a datagram and who has sent it; says whether it was for it.
Take: TypeAlias = Callable[[bytes, Any], bool]


class Peer(UDP6EndpointAddress):
    """aiocoap's address of a peer, at which nothing is multicast: this socket joins no group."""

    is_multicast = False
    is_multicast_locally = False

    def __init__(self, sockaddr: Any, interface: Any, *, pktinfo: bytes | None = None) -> None:
        super().__init__(sockaddr, interface, pktinfo=pktinfo)
        self._hash = hash(sockaddr[:-1])  # it is a key of many things: once per datagram is enough

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Peer) and self.sockaddr[:-1] == other.sockaddr[:-1]

    def as_response_address(self) -> Self:
        return self


class UdpSocket(MessageInterface):
    """The lowest layer of aiocoap, for a server, on any event loop.

    Why none of aiocoap's own: `simplesocketserver` hears no ICMP errors, so that a client that has
    gone is sent to for a minute, and cannot listen on all addresses. `udp6` can do both, but on
    uvloop the first ICMP error makes it deaf: libuv stops polling a socket on POLLERR. Here the
    loop polls an epoll object that the socket is in, which is readable, never erroneous. Besides,
    `udp6` shares its port with any other process (SO_REUSEPORT) and cuts datagrams at 4 kB.
    """

    def __init__(self, layer: Any, sock: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        self._layer = layer
        self._sock = sock
        self._loop = loop
        self._take: Take = lambda _datagram, _peer: False
        self._buffer = bytearray(DATAGRAM_BYTES)
        self._epoll = select.epoll()
        self._epoll.register(sock.fileno(), select.EPOLLIN)
        self._is_open = True
        loop.add_reader(self._epoll.fileno(), self._read)

    @classmethod
    async def open(cls, layer: Any, host: str, port: int) -> Self:
        """Raises OSError when it cannot listen there."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        for index, (*_, address) in enumerate(found):
            try:
                return cls(layer, _bind(address), loop)
            except OSError as error:
                if index == len(found) - 1:
                    reason = f"cannot listen on UDP {host}:{port}: {error.strerror}"
                    raise OSError(error.errno, reason) from error
        raise OSError(errno.EADDRNOTAVAIL, f"no address for {host!r}")

    def offer(self, take: Take) -> None:
        """Have each datagram offered to `take`, before it goes to aiocoap's layer."""
        self._take = take

    @property
    def port(self) -> int:
        bound: int = self._sock.getsockname()[1]
        return bound

    # Out

    def send(self, message: Any) -> None:
        self.send_bytes(message.encode(), message.remote)

    def send_bytes(self, data: bytes, peer: Any) -> None:
        if not self._is_open:
            return
        ancillary = []
        if peer.pktinfo is not None:  # answer from the address that was asked
            ancillary.append((socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, peer.pktinfo))
        for attempt in (1, 2):
            try:
                self._sock.sendmsg((data,), ancillary, 0, peer.sockaddr)
                return
            except BlockingIOError:
                return  # lost, as any datagram may be
            except OSError as error:
                # The first error may be an earlier one, of another peer, that the socket tells now.
                if attempt == 2:
                    self._layer.dispatch_error(error, peer)

    # In

    def _read(self) -> None:
        for _ in range(_BURST):
            try:
                length, ancillary, _, address = self._sock.recvmsg_into(
                    [self._buffer], _ANCILLARY_BYTES
                )
            except BlockingIOError:
                break
            except OSError:
                continue  # an ICMP error that waits in the error queue, too
            self._receive(bytes(self._buffer[:length]), ancillary, address)
            if not self._is_open:
                return
        self._read_errors()

    def _receive(self, datagram: bytes, ancillary: list[Any], address: Any) -> None:
        peer = Peer(address, self, pktinfo=_ancillary(ancillary, socket.IPV6_PKTINFO))
        try:
            if self._take(datagram, peer):
                return
        except Exception:  # whatever one datagram did, the next one is served
            logger.exception("a request from %s could not be taken", address[:2])
            return
        try:
            message = decode(datagram, peer)
        except Malformed as error:
            logger.debug("ignored a datagram from %s: %s", address[:2], error)
            return
        if message.is_to_be_ignored:
            return
        try:
            self._layer.dispatch_message(message)
        except Exception:  # whatever one datagram did, the next one is served
            logger.exception("a message from %s could not be processed", address[:2])

    def _read_errors(self) -> None:
        """ICMP errors (ip(7), IP_RECVERR), told to whoever waits for that peer."""
        for _ in range(_BURST):
            try:
                _, ancillary, _, address = self._sock.recvmsg(1, _ANCILLARY_BYTES, MSG_ERRQUEUE)
            except OSError:
                return
            report = _ancillary(ancillary, IPV6_RECVERR)
            if report is not None:
                (number,) = struct.unpack_from("I", report)
                self._layer.dispatch_error(OSError(number, "ICMP error"), Peer(address, self))

    # For aiocoap

    async def determine_remote(self, message: Any) -> None:
        """No requests are sent from here."""

    async def recognize_remote(self, remote: Any) -> bool:
        return isinstance(remote, Peer) and remote.interface is self

    async def shutdown(self) -> None:
        self._is_open = False
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()
        self._sock.close()


def _bind(address: tuple[Any, ...]) -> socket.socket:
    """A socket for IPv6 and IPv4 alike; IPv4 addresses appear mapped (RFC 4291 section 2.5.5.2)."""
    host, *rest = address
    if ":" not in host:
        host = f"::ffff:{host}"
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SEND_BUFFER_BYTES)
        sock.bind((host, *rest))
    except BaseException:
        sock.close()
        raise
    return sock


def _ancillary(messages: list[tuple[int, int, bytes]], kind: int) -> bytes | None:
    return next(
        (data for level, k, data in messages if (level, k) == (socket.IPPROTO_IPV6, kind)), None
    )

"""Listens on a socket and answers requests there, within the running event loop."""

import asyncio
import socket
import ssl
import time
from email.utils import formatdate

from servient.bindings.http.protocol import Answer, Connection, Limits, Shared

GRACE_SECONDS = 0.3
HANDSHAKE_SECONDS = 10.0
BACKLOG = 1024
# A peer that is lost without a word is noticed after about a minute and a half.
KEEPALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3))


class Listener:
    """A listening socket, the connections it accepted, and the requests that run on them."""

    def __init__(self, answer: Answer, limits: Limits, tls: ssl.SSLContext | None = None) -> None:
        self._answer = answer
        self._tls = tls
        self._limits = limits
        self._shared = Shared()
        self._server: asyncio.Server | None = None
        self._clock: asyncio.TimerHandle | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port. Raises OSError when that is not possible."""
        loop = asyncio.get_running_loop()
        listening = await bind(host, port)
        try:
            self._server = await loop.create_server(
                lambda: Connection(self._answer, self._shared, self._limits),
                sock=listening,
                backlog=BACKLOG,
                ssl=self._tls,
                ssl_handshake_timeout=HANDSHAKE_SECONDS if self._tls else None,
            )
        except BaseException:
            listening.close()
            raise
        self._tick()
        bound: int = listening.getsockname()[1]
        return bound

    def _tick(self) -> None:
        """Every answer has a Date (RFC 9110 section 6.6.1), worked out once a second."""
        now = time.time()
        self._shared.date = f"date: {formatdate(now, usegmt=True)}\r\n".encode()
        self._clock = asyncio.get_running_loop().call_later(1.0 - now % 1.0, self._tick)

    async def stop(self) -> None:
        """Close everything; answers under way have a moment to be finished."""
        if self._server is None:
            return
        self._server.close()
        for connection in tuple(self._shared.connections):
            connection.shut_down()
        if self._shared.tasks:
            await asyncio.wait(self._shared.tasks, timeout=GRACE_SECONDS)
        for connection in tuple(self._shared.connections):
            connection.abort()
        await self._end_tasks()
        await self._server.wait_closed()
        self._server = None
        if self._clock is not None:
            self._clock.cancel()

    async def _end_tasks(self) -> None:
        # First the connections learn that they are lost: what is cancelled then has nobody to answer.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for task in tuple(self._shared.tasks):
            task.cancel()
        await asyncio.gather(*self._shared.tasks, return_exceptions=True)


async def bind(host: str, port: int) -> socket.socket:
    """A bound TCP socket, IPv4 or IPv6 as `host` says. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted connections inherit these.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in KEEPALIVE:
            bound.setsockopt(socket.IPPROTO_TCP, option, value)
        bound.bind(address)
        bound.setblocking(False)
    except BaseException:
        bound.close()
        raise
    return bound

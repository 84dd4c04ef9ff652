"""Listens on a socket and serves an ASGI application there, within the running event loop."""

import asyncio
import socket
import ssl
import time
from email.utils import formatdate
from functools import partial
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from servient.bindings.http.protocol import Connection, Limits

# Longer than the clients of the field keep an idle connection: it is better that they close it.
IDLE_SECONDS = 75
GRACE_SECONDS = 0.3
HANDSHAKE_SECONDS = 10.0
BACKLOG = 1024
# A peer that is lost without a word is noticed after about a minute and a half.
KEEPALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3))


class Listener:
    """A listening socket, the connections it accepted, and the requests that run on them.

    uvicorn's protocol without its Server, which owns signals and a loop that ticks.
    """

    def __init__(self, application: Any, limits: Limits, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._config = Config(
            application,
            interface="asgi3",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_keep_alive=IDLE_SECONDS,
        )
        self._limits = limits
        self._state = ServerState()
        self._server: asyncio.Server | None = None
        self._clock: asyncio.TimerHandle | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port. Raises OSError when that is not possible."""
        self._config.load()
        loop = asyncio.get_running_loop()
        listening = await bind(host, port)
        connection = partial(Connection, self._config, self._state, self._limits)
        try:
            self._server = await loop.create_server(
                connection,
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
        date = formatdate(now, usegmt=True).encode()
        # A new list, as uvicorn does: requests under way hold the old one.
        self._state.default_headers = [(b"date", date)]
        self._clock = asyncio.get_running_loop().call_later(1.0 - now % 1.0, self._tick)

    async def stop(self) -> None:
        """Close everything; answers under way have a moment to be finished."""
        if self._server is None:
            return
        self._server.close()
        for connection in tuple(self._state.connections):
            connection.shutdown()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=GRACE_SECONDS)
        for connection in tuple(self._state.connections):
            connection.transport.abort()
        await self._end_tasks()
        await self._server.wait_closed()
        self._server = None
        if self._clock is not None:
            self._clock.cancel()

    async def _end_tasks(self) -> None:
        # First the connections learn that they are lost: what is cancelled then has nobody to answer.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for task in tuple(self._state.tasks):
            task.cancel()
        await asyncio.gather(*self._state.tasks, return_exceptions=True)


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

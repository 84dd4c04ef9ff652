"""The open connections of a binding: how many there may be, and how they end."""

import asyncio
from collections.abc import Iterator
from typing import Protocol

from servient.bindings.websocket.connection import Connection
from servient.errors import Busy


class OpenSocket(Protocol):
    """A socket in the registry."""

    connection: Connection

    def cut(self) -> None:
        """Close without a word."""


class Registry:
    """Sockets by the name of their Thing."""

    def __init__(self, limit: int, close_seconds: float) -> None:
        self._limit = limit
        self._close_seconds = close_seconds
        self._sockets: dict[str, set[OpenSocket]] = {}
        self._count = 0
        self._is_closed = False
        self._empty = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()  # those that outlive their connection

    def __len__(self) -> int:
        return self._count

    def admit(self) -> None:
        """Raises Busy when there is no room for another connection."""
        if self._is_closed:
            raise Busy("this servient is stopping")
        if self._count >= self._limit:
            raise Busy(f"there are {self._limit} connections; try again later")

    def add(self, thing: str, socket: OpenSocket) -> None:
        self._sockets.setdefault(thing, set()).add(socket)
        self._count += 1
        self._empty.clear()

    def discard(self, thing: str, socket: OpenSocket) -> None:
        """The socket is closed: what its connection had under way is cancelled."""
        sockets = self._sockets.get(thing, set())
        if socket not in sockets:
            return
        sockets.discard(socket)
        if not sockets:
            del self._sockets[thing]
        socket.connection.abandon()
        for task in socket.connection.tasks:
            self._keep(task)
        self._count -= 1
        if not self._count:
            self._empty.set()

    def end_all_of(self, thing: str, code: int, reason: str) -> None:
        """Have the connections to a Thing end, in their own time."""
        for socket in self._sockets.get(thing, ()):
            work = socket.connection.end(code, reason)
            self._keep(asyncio.create_task(work, name=f"end of a websocket of {thing}"))

    async def end_all(self, code: int, reason: str) -> None:
        """End every connection; returns when nothing is left of them."""
        self._is_closed = True
        for thing in tuple(self._sockets):
            self.end_all_of(thing, code, reason)
        while self._tasks:
            await asyncio.wait(self._tasks)
        if self._count:
            await self._wait_until_empty()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _wait_until_empty(self) -> None:
        try:
            async with asyncio.timeout(self._close_seconds):
                await self._empty.wait()
        except TimeoutError:
            for socket in tuple(self._all()):
                socket.cut()
            await self._empty.wait()

    def _all(self) -> Iterator[OpenSocket]:
        for sockets in self._sockets.values():
            yield from sockets

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

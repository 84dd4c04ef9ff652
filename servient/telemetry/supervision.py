"""What a service manager is told: ready, stopping, and alive for as long as the event loop turns.

The protocol of sd_notify(3): lines over a datagram socket. Without such a socket nothing happens.
"""

import asyncio
import logging
import socket
from dataclasses import dataclass
from typing import Self

from servient.background import Background

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Manager:
    """`address` is the socket's, "@" at its beginning for an abstract one.

    `watchdog_seconds`: who is silent for longer is taken for dead, and killed.
    """

    address: str | None = None
    watchdog_seconds: float | None = None


class Supervision(Background):
    """Says READY=1 when entered; a task of the loop says WATCHDOG=1 twice as often as is wanted."""

    task_name = "watchdog"

    def __init__(self, manager: Manager) -> None:
        self._manager = manager

    async def __aenter__(self) -> Self:
        self._tell("READY=1")
        return await super().__aenter__()

    def stopping(self) -> None:
        """The watchdog goes on: a loop that hangs in the end is ended, too."""
        self._tell("STOPPING=1")

    async def _run(self) -> None:
        manager = self._manager
        while manager.address and manager.watchdog_seconds:
            self._tell("WATCHDOG=1")
            await asyncio.sleep(manager.watchdog_seconds / 2)

    def _tell(self, message: str) -> None:
        address = self._manager.address
        if not address:
            return
        if address.startswith("@"):
            address = "\0" + address[1:]
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
                out.setblocking(False)
                out.sendto(message.encode(), address)
        except OSError as error:
            logger.warning("the service manager cannot be told %s: %s", message, error)

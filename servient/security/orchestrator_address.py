"""The registered orchestrator, known by its address: those of the field have no credentials to show."""

import asyncio
import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from servient.wot.access import Grant, Principal, Scope

RESOLVE_SECONDS = 3.0
KEEP_SECONDS = 60.0
ORCHESTRATOR = Principal(
    "orchestrator", (Grant(frozenset({Scope.READ, Scope.INVOKE, Scope.DEPLOY})),)
)


class OrchestratorAddress:
    """Whether a request comes from the machine of the orchestrator. `url` is where it is, if known.

    That is as safe as the network is: an address on one that others share can be taken by others,
    and everybody on the orchestrator's machine, or behind the same translation of addresses, has it.
    """

    def __init__(self, url: Callable[[], str | None]) -> None:
        self._url = url
        self._host = ""
        self._addresses: frozenset[str] = frozenset()
        self._known_until = float("-inf")
        self._lock = asyncio.Lock()

    async def principal(self, address: str) -> Principal | None:
        host = urlsplit(self._url() or "").hostname
        if not host or not address:
            return None
        async with self._lock:
            if host != self._host or time.monotonic() > self._known_until:
                self._addresses = await _resolve(host)
                self._host, self._known_until = host, time.monotonic() + KEEP_SECONDS
        return ORCHESTRATOR if _plain(address) in self._addresses else None


async def _resolve(host: str) -> frozenset[str]:
    """None when the name is not known: then nobody is the orchestrator."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (TimeoutError, OSError):
        return frozenset()
    return frozenset(_plain(str(address[0])) for *_, address in found)


def _plain(address: str) -> str:
    return address.removeprefix("::ffff:")

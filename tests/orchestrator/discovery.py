"""Finds devices by mDNS on loopback, and forgets those that say goodbye."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

from zeroconf import ServiceBrowser, ServiceListener, Zeroconf
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from tests.orchestrator.devices import Device
from tests.orchestrator.orchestrator import Orchestrator

SERVICE = "_webthing._tcp.local."
ANSWER_MILLISECONDS = 3000


class Listener(ServiceListener):
    """Names of what came and what went; called in the thread of the browser."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    def _put(self, event: str, name: str) -> None:
        self._loop.call_soon_threadsafe(self.events.put_nowait, (event, name))

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self._put("came", name)

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self._put("went", name)

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """A known device is never updated."""


@contextlib.asynccontextmanager
async def discovering(orchestrator: Orchestrator) -> AsyncIterator[list[str]]:
    """Discover devices for as long as the block runs; gives the names that said goodbye."""
    gone: list[str] = []
    async with AsyncZeroconf(interfaces=["127.0.0.1"]) as zeroconf:
        listener = Listener()
        browser = ServiceBrowser(zeroconf.zeroconf, SERVICE, listener)
        task = asyncio.create_task(_take(orchestrator, zeroconf, listener, gone), name="discovery")
        try:
            yield gone
        finally:
            browser.cancel()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _take(
    orchestrator: Orchestrator, zeroconf: AsyncZeroconf, listener: Listener, gone: list[str]
) -> None:
    while True:
        event, full_name = await listener.events.get()
        name = full_name.partition(".")[0]  # the first label, whatever follows it
        if event == "went":
            gone.append(name)
            orchestrator.devices.forget(name)
            continue
        info = AsyncServiceInfo(SERVICE, full_name)
        if await info.async_request(zeroconf.zeroconf, ANSWER_MILLISECONDS):
            await orchestrator.discovered(_to_device(name, info))


def _to_device(name: str, info: AsyncServiceInfo) -> Device:
    properties = info.decoded_properties
    assert properties["path"] == "/"
    assert info.port is not None
    scheme = "https" if properties["tls"] == "1" else "http"
    address = socket.inet_ntoa(info.addresses[0])
    assert properties["address"] == address
    return Device(name, address, info.port, scheme)

"""Announces a servient by multicast DNS, so that it is found without being configured anywhere."""

import asyncio
import logging
from types import TracebackType
from typing import Self

from zeroconf import InterfaceChoice, NonUniqueNameException, ServiceInfo
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from servient.discovery.records import for_consumers, for_orchestrators
from servient.discovery.service import Service, is_own_address

logger = logging.getLogger(__name__)

HOLDER_TIMEOUT_MS = 1500


class Announcer:
    """Announces while its `async with` block lasts; whatever goes wrong is logged, and nothing stops.

    Leaving says no goodbye to orchestrators: one of them would forget this servient with its
    deployments, and a restart is no reason for that. `withdraws` makes leaving a deliberate farewell.
    `interface` is the address of the network interface to use, by default the service's own.
    """

    def __init__(
        self, service: Service, *, interface: str | None = None, withdraws: bool = False
    ) -> None:
        self._service = service
        self._interface = interface or service.address
        self._withdraws = withdraws
        self._webthing = for_orchestrators(service)
        self._for_consumers = for_consumers(service)
        self._zeroconf: AsyncZeroconf | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._zeroconf = self._open()
        if self._zeroconf is not None:
            # Probing for the name takes a second, for which nobody else has to wait.
            self._task = asyncio.create_task(self._announce(self._zeroconf), name="announce")
        return self

    def _open(self) -> AsyncZeroconf | None:
        # The address may be that of another machine, which passes packets on to this one.
        is_here = is_own_address(self._interface)
        try:
            return AsyncZeroconf(
                interfaces=[self._interface] if is_here else InterfaceChoice.Default
            )
        except OSError as error:
            reason = error.strerror or error
            logger.warning("%s is not announced: no multicast DNS: %s", self._service.name, reason)
            return None

    async def _announce(self, zeroconf: AsyncZeroconf) -> None:
        for info in (self._webthing, *self._for_consumers):
            try:
                await self._register(zeroconf, info)
            except NonUniqueNameException:
                message = "%r is not announced: another servient has that name; set another `name`"
                logger.warning(message, info.name)
            except Exception:  # announcing is no reason to stop serving
                logger.exception("cannot announce %s", info.name)
            else:
                logger.info("announced %s at %s:%d", info.name, self._service.address, info.port)

    async def _register(self, zeroconf: AsyncZeroconf, info: AsyncServiceInfo) -> None:
        try:
            sent = await zeroconf.async_register_service(info)
        except NonUniqueNameException:
            if not await self._is_ours(zeroconf, info):
                raise
            sent = await zeroconf.async_register_service(info, cooperating_responders=True)
        await sent

    async def _is_ours(self, zeroconf: AsyncZeroconf, info: AsyncServiceInfo) -> bool:
        """Whether the holder of the name is this servient, which some proxy still speaks for."""
        held = await zeroconf.async_get_service_info(info.type, info.name, HOLDER_TIMEOUT_MS)
        return (
            held is not None
            and held.port == info.port
            and self._service.address in held.parsed_addresses()
        )

    async def repeat(self) -> None:
        """Announce again, for those who have lost sight of this servient."""
        if self._zeroconf is None or self._task is None:
            return
        await asyncio.wait((self._task,))
        if self._webthing in self._registered():
            await (await self._zeroconf.async_update_service(self._webthing))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._zeroconf is None:
            return
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if not self._withdraws:
            await self._leave_unnoticed(self._zeroconf)
        await self._zeroconf.async_close()

    async def _leave_unnoticed(self, zeroconf: AsyncZeroconf) -> None:
        # While that is registered, the goodbyes of the others leave the address that they share alone.
        for info in self._for_consumers:
            if info in self._registered():
                await (await zeroconf.async_unregister_service(info))
        if self._webthing in self._registered():
            # Closing would say goodbye for it.
            zeroconf.zeroconf.registry.async_remove(self._webthing)

    def _registered(self) -> list[ServiceInfo]:
        assert self._zeroconf is not None  # noqa: S101 - asked for only while it is open
        return self._zeroconf.zeroconf.registry.async_get_service_infos()

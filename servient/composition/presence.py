"""How others come to know of this servient: announcements, the orchestrator, a directory."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack

from servient.composition.reporting import Reporting
from servient.config import BindingName, Config, is_loopback
from servient.discovery.registration import Pace, Registration, nothing
from servient.discovery.service import Service
from servient.wot.binding import Binding
from servient.wot.servient import Servient

logger = logging.getLogger(__name__)


class Presence:
    """As far as each of them is wanted, until `stack` is closed."""

    def __init__(self, config: Config, stack: AsyncExitStack) -> None:
        self._config = config
        self._stack = stack

    async def tell(
        self, reporting: Reporting, bindings: Mapping[BindingName, Binding], servient_id: str
    ) -> None:
        """Announce the servient and register it, when its bindings have their ports."""
        config, address = self._config, reporting.address
        if "http" not in bindings:
            return
        if address is None:
            if config.is_announced or config.orchestrator_url:
                message = "nobody is told of this servient: %s has no IPv4 address"
                logger.warning(message, config.reachable_host)
            return
        if is_loopback(config.host) and not is_loopback(address):
            message = "others are told to come to %s, and this servient listens on %s: set `host`"
            logger.warning(message, address, config.host)
        ports = {name: binding.port for name, binding in bindings.items()}
        service = Service(
            config.name, address, ports["http"], servient_id, coap_port=ports.get("coap")
        )
        pace = Pace(renewal_seconds=config.register_renewal_seconds)
        announce = await self._announce(service)
        registration = Registration(reporting.orchestrator, service, pace, announce)
        await self._stack.enter_async_context(registration)

    async def enter_directory(self, servient: Servient) -> None:
        if self._config.directory_url:
            # Here, since few servients have one.
            from servient.discovery.directory import DirectoryEntries  # noqa: PLC0415

            entries = DirectoryEntries(servient, self._config.directory_url)
            await self._stack.enter_async_context(entries)

    async def _announce(self, service: Service) -> Callable[[], Awaitable[None]]:
        """What announces it once more."""
        config = self._config
        if not config.is_announced:
            return nothing
        # Here, since one that only its own machine reaches needs no multicast DNS.
        from servient.discovery.announcer import Announcer  # noqa: PLC0415

        interface = str(config.announce_interface) if config.announce_interface else None
        announcer = Announcer(service, interface=interface, withdraws=config.withdraw_on_stop)
        return (await self._stack.enter_async_context(announcer)).repeat

"""Tells a configured orchestrator over HTTP that this servient is there, and again when it seems lost."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from servient.background import Background
from servient.discovery.orchestrator import Orchestrator, without_credentials
from servient.discovery.service import Service

logger = logging.getLogger(__name__)

PATH = "/file/device/discovery/register"


@dataclass(frozen=True, slots=True)
class Pace:
    """`renewal`: without a health check for so long, an orchestrator has lost us.

    `known`: after a restart, how long one that knows us has to check our health, which it does every
    15 seconds: some orchestrators make a second device of the same registration.
    """

    renewal_seconds: float = 900.0
    known_seconds: float = 40.0
    first_retry_seconds: float = 1.0
    last_retry_seconds: float = 60.0
    timeout_seconds: float = 10.0


async def nothing() -> None:
    """What is done where nothing else is to be repeated."""


class Registration(Background):
    """Keeps the servient known to its orchestrator while its `async with` block lasts.

    `announce` is what else is repeated when no orchestrator has looked after us for a while.
    """

    task_name = "registration"

    def __init__(
        self,
        orchestrator: Orchestrator,
        service: Service,
        pace: Pace | None = None,
        announce: Callable[[], Awaitable[None]] = nothing,
    ) -> None:
        self._orchestrator = orchestrator
        self._body = service.registration()
        self._told = json.dumps(self._body, sort_keys=True)
        self._pace = pace or Pace()
        self._announce = announce

    async def _run(self) -> None:
        url = self._orchestrator.configured_url
        if url is not None:
            if self._orchestrator.is_registered(self._told):
                await asyncio.sleep(self._pace.known_seconds)
            if self._orchestrator.seconds_since_health_check() > self._pace.known_seconds:
                await self._register(url)
        while True:
            await self._be_lost()
            await self._announce()
            if url is not None:
                await self._register(url)

    async def _be_lost(self) -> None:
        """Return when nobody has looked after us for too long."""
        left = self._pace.renewal_seconds
        while left > 0:
            await asyncio.sleep(left)
            left = self._pace.renewal_seconds - self._orchestrator.seconds_since_health_check()

    async def _register(self, url: str) -> None:
        """Try until it is done, or the orchestrator has found us by itself."""
        pause = self._pace.first_retry_seconds
        while reason := await self._try(url):
            shown = without_credentials(url)
            logger.warning("not registered with %s: %s; again in %g s", shown, reason, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, self._pace.last_retry_seconds)
            if self._orchestrator.seconds_since_health_check() < pause:
                return
        logger.info("registered with %s", without_credentials(url))

    async def _try(self, url: str) -> str:
        """Why it did not work; empty when it did."""
        # Here, since most servients are found, and need no client to register themselves.
        import httpx  # noqa: PLC0415

        try:
            async with httpx.AsyncClient(
                trust_env=False, timeout=self._pace.timeout_seconds
            ) as client:
                response = await client.post(url + PATH, json=self._body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return str(error) or type(error).__name__
        if not response.is_success:
            return f"it answers {response.status_code}"
        self._orchestrator.registered(self._told)
        return ""

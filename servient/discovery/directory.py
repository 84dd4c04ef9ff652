"""Keeps a servient's Thing Descriptions in an external directory (WoT Discovery section 6.2.2)."""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from servient.background import Background
from servient.discovery.orchestrator import without_credentials
from servient.errors import NotFound
from servient.wot.changes import Change
from servient.wot.content import to_json
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing

logger = logging.getLogger(__name__)

DISCOVERY_CONTEXT = "https://www.w3.org/2022/wot/discovery"
TD_MEDIA_TYPE = "application/td+json"
# Refusals that are no verdict on the description.
_TRY_AGAIN = frozenset({401, 403, 408, 425, 429})


@dataclass(frozen=True, slots=True)
class Renewal:
    """`ttl`: after so long the directory drops an entry; each is renewed when half of it is over.

    `farewell` bounds the removal of all entries when the servient stops.
    """

    ttl_seconds: int = 600
    first_retry_seconds: float = 1.0
    last_retry_seconds: float = 60.0
    timeout_seconds: float = 10.0
    farewell_seconds: float = 5.0


class _Away(Exception):
    """The directory cannot be reached, or cannot do it now."""


class DirectoryEntries(Background):
    """Enters every Thing that has an id while its `async with` block lasts, and removes them at its end.

    `url` is the directory's, to which `/things/{id}` is appended.
    """

    task_name = "directory entries"

    def __init__(self, servient: Servient, url: str, renewal: Renewal | None = None) -> None:
        self._servient = servient
        self._url = url.rstrip("/")
        self._shown = without_credentials(self._url)
        self._renewal = renewal or Renewal()
        self._client = httpx.AsyncClient(trust_env=False, timeout=self._renewal.timeout_seconds)
        # By id: when to enter or renew it; infinite while that is under way.
        self._due: dict[str, float] = {}
        self._entered: set[str] = set()
        self._gone: set[str] = set()
        self._wake = asyncio.Event()
        self._unwatch: Callable[[], None] = lambda: None

    async def __aenter__(self) -> Self:
        self._unwatch = self._servient.changes.watch(self._hear)
        for thing in self._servient.enabled_exposed_things:
            self._hear(Change.CREATED, thing)
        return await super().__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._unwatch()
        await super().__aexit__(kind, error, trace)
        await self._say_farewell()
        await self._client.aclose()

    def _hear(self, change: Change, thing: ExposedThing) -> None:
        thing_id = thing.description.id
        if thing_id is None:
            return
        if change is Change.DELETED:
            self._due.pop(thing_id, None)
            if thing_id in self._entered:
                self._gone.add(thing_id)
        else:
            self._gone.discard(thing_id)
            self._due[thing_id] = 0.0
        self._wake.set()

    async def _run(self) -> None:
        pause = self._renewal.first_retry_seconds
        while True:
            self._wake.clear()
            try:
                await self._work()
            except _Away as reason:
                message = "the directory %s: %s; again in %g s"
                logger.warning(message, self._shown, reason, pause)
                await asyncio.sleep(pause)
                pause = min(2 * pause, self._renewal.last_retry_seconds)
            else:
                pause = self._renewal.first_retry_seconds
                await self._rest()

    async def _work(self) -> None:
        """Do all that is due. Raises _Away at the first that has to be tried again."""
        for thing_id in tuple(self._gone):
            await self._remove(thing_id)
        for thing_id in [each for each, due in self._due.items() if due <= time.monotonic()]:
            await self._enter(thing_id)

    async def _rest(self) -> None:
        """Until the next is due, or something changes."""
        left = min(self._due.values(), default=math.inf) - time.monotonic()
        try:
            async with asyncio.timeout(None if math.isinf(left) else max(left, 0.0)):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _enter(self, thing_id: str) -> None:
        try:
            td = self._servient.td(self._servient.exposed(thing_id))
        except NotFound:
            self._due.pop(thing_id, None)
            return
        self._due[thing_id] = math.inf
        self._entered.add(thing_id)
        try:
            status = await self._send("PUT", thing_id, to_entry(td, self._renewal.ttl_seconds))
        except _Away:
            if thing_id in self._due:
                self._due[thing_id] = 0.0
            raise
        if status >= 300:
            message = "the directory %s does not take %s: it answers %d"
            logger.warning(message, self._shown, thing_id, status)
        if thing_id not in self._due:  # destroyed in the meantime
            self._gone.add(thing_id)
        elif math.isinf(self._due[thing_id]):  # and not changed
            self._due[thing_id] = time.monotonic() + self._renewal.ttl_seconds / 2

    async def _remove(self, thing_id: str) -> None:
        await self._send("DELETE", thing_id)
        self._gone.discard(thing_id)
        if thing_id not in self._due:  # exposed again in the meantime
            self._entered.discard(thing_id)

    async def _send(self, method: str, thing_id: str, entry: dict[str, Any] | None = None) -> int:
        """The status of the answer. Raises _Away."""
        url = f"{self._url}/things/{quote(thing_id, safe='')}"
        try:
            response = await self._client.request(
                method,
                url,
                content=None if entry is None else to_json(entry),
                headers={} if entry is None else {"Content-Type": TD_MEDIA_TYPE},
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _Away(str(error) or type(error).__name__) from error
        if response.status_code >= 500 or response.status_code in _TRY_AGAIN:
            raise _Away(f"it answers {response.status_code}")
        return response.status_code

    async def _say_farewell(self) -> None:
        try:
            async with asyncio.timeout(self._renewal.farewell_seconds):
                for thing_id in tuple(self._entered | self._gone):
                    await self._remove(thing_id)
        except (TimeoutError, _Away) as reason:
            message = "entries stay in the directory %s until they expire: %s"
            logger.warning(message, self._shown, reason or "it does not answer")


def to_entry(td: dict[str, Any], ttl_seconds: int) -> dict[str, Any]:
    """A TD with what a directory is to know about its registration (an Enriched TD, section 6.2.2.1)."""
    context = td["@context"]
    contexts = context if isinstance(context, list) else [context]
    if DISCOVERY_CONTEXT not in contexts:
        contexts = [contexts[0], DISCOVERY_CONTEXT, *contexts[1:]]
    return {**td, "@context": contexts, "registration": {"ttl": ttl_seconds}}

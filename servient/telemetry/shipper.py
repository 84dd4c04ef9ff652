"""Sends the journal to the orchestrator, off the path of requests."""

import asyncio
import json
import logging
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from servient.background import Background
from servient.journal import Entry
from servient.telemetry.poster import Poster

logger = logging.getLogger(__name__)

PATH = "/device/logs"


class Destination(Protocol):
    """Where the orchestrator is, None when there is none; it is told whether it took what was sent."""

    @property
    def url(self) -> str | None: ...

    def delivered(self, is_taken: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Sender:
    """Who the entries are from: the name and the address by which the orchestrator knows us."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class ShippingLimits:
    """An orchestrator takes one entry per request: `batch` of them each `interval`, at most.

    `queue` is how many entries wait before the oldest are dropped.
    """

    queue: int = 2000
    batch: int = 500
    interval_seconds: float = 0.25
    timeout_seconds: float = 5.0
    last_pause_seconds: float = 15.0


@dataclass(slots=True)
class Counts:
    """What became of the entries since the start; those that wait are in neither."""

    sent: int = 0
    dropped: int = 0


class LogShipper(Background):
    """A reader of the journal, while its `async with` block lasts.

    Entries are dropped, and counted, when the orchestrator is away or takes them too slowly.
    """

    task_name = "log shipping"

    def __init__(
        self,
        destination: Destination,
        sender: Sender,
        limits: ShippingLimits | None = None,
    ) -> None:
        self._destination = destination
        self._sender = sender
        self._limits = limits or ShippingLimits()
        self._queue: deque[Entry] = deque()
        self._has_entries = asyncio.Event()
        self._counts = Counts()
        self._is_away = False

    @property
    def wants_entries(self) -> bool:
        return self._destination.url is not None

    def counts(self) -> dict[str, int]:
        return {**asdict(self._counts), "waiting": len(self._queue)}

    def read(self, entry: Entry) -> None:
        if len(self._queue) >= self._limits.queue:
            self._queue.popleft()
            self._counts.dropped += 1
        self._queue.append(entry)
        self._has_entries.set()

    async def _run(self) -> None:
        limits, pause = self._limits, self._limits.interval_seconds
        poster = Poster(limits.timeout_seconds)
        try:
            while True:
                await self._has_entries.wait()
                # What happens together goes together.
                await asyncio.sleep(pause)
                if await self._ship(poster):
                    pause = limits.interval_seconds
                else:
                    pause = min(2 * pause, limits.last_pause_seconds)
                if not self._queue:
                    self._has_entries.clear()
        finally:
            await poster.close()

    async def _ship(self, poster: Poster) -> bool:
        """Send a batch in order. False when the orchestrator does not take it."""
        for _ in range(min(self._limits.batch, len(self._queue))):
            url = self._destination.url
            if url is None:
                break
            entry = self._queue.popleft()
            reason = await _post(poster, url + PATH, to_log_data(entry, self._sender))
            self._destination.delivered(is_taken=not reason)
            if reason:
                self._drop(reason)
                return False
            self._counts.sent += 1
            self._is_back()
        return True

    def _is_back(self) -> None:
        if self._is_away:
            self._is_away = False
            logger.info("the orchestrator takes logs again; %d were dropped", self._counts.dropped)

    def _drop(self, reason: str) -> None:
        self._counts.dropped += 1
        if not self._is_away:
            self._is_away = True
            logger.warning("the orchestrator takes no logs (%s): they are dropped", reason)


async def _post(poster: Poster, url: str, log_data: dict[str, Any]) -> str:
    """Why it was not taken; empty when it was."""
    try:
        status = await poster.post(url, urlencode({"logData": json.dumps(log_data)}).encode())
    except OSError as error:
        return str(error) or type(error).__name__
    return "" if 200 <= status < 300 else f"it answers {status}"


def to_log_data(entry: Entry, sender: Sender) -> dict[str, Any]:
    """An entry in the orchestrators' shape; what it does not have is left out."""
    known = {
        "request_id": entry.request_id,
        "deployment_id": entry.deployment_id,
        "module_name": entry.module_name,
    }
    return {
        "timestamp": entry.at.isoformat(timespec="milliseconds"),
        "loglevel": logging.getLevelName(entry.level),
        "message": entry.message,
        "funcName": entry.function,
        "deviceName": sender.name,
        "deviceIP": sender.address,
        **{name: value for name, value in known.items() if value},
    }

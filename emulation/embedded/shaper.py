"""What becomes of a packet between two ends of a network: when it arrives, or why it does not."""

import math
import random
from dataclasses import dataclass
from enum import StrEnum

from emulation.embedded.wander import Delay, make_delay
from emulation.topology.link import Jitter, Link

LEAST_QUEUE_BYTES = 24_000


class Fate(StrEnum):
    """Why a packet does not arrive."""

    LOSS = "loss"
    QUEUE = "queue"
    OUTAGE = "outage"


class Pipe:
    """A rate with a queue before it."""

    def __init__(self) -> None:
        self.rate: float | None = None  # bytes per second
        self.queue_bytes = 0
        self._free_at = 0.0

    def set(self, rate_kbit: float | None, queue_bytes: int) -> None:
        self.rate = rate_kbit * 125 if rate_kbit else None
        self.queue_bytes = queue_bytes

    def pass_through(self, now: float, size: int) -> float | None:
        """When a packet that comes now is through; None if the queue has no room."""
        if self.rate is None:
            return now
        start = max(now, self._free_at)
        if (start - now) * self.rate + size > self.queue_bytes:
            return None
        self._free_at = start + size / self.rate
        return self._free_at


@dataclass(slots=True)
class _Losses:
    """Whether the packet before was lost."""

    chance: random.Random
    before: bool = False

    def next(self, probability: float, correlation: float) -> bool:
        if not (correlation and self.chance.random() < correlation):
            self.before = self.chance.random() < probability
        return self.before


class Line:
    """One end's line, or the one that all of a network share."""

    def __init__(self, link: Link, seed: str) -> None:
        self._link = link
        self._seed = seed
        self._up = Pipe()
        self._down = self._up if link.is_shared else Pipe()
        self._losses = _Losses(random.Random(f"{seed}/loss"))  # noqa: S311 - repeatable by intention
        self._begun_at = 0.0
        self._next_change = math.inf
        self.is_ordered = link.jitter is Jitter.CORRELATED
        self._is_up = True
        self._link_now = link
        self._delays: dict[str, tuple[Delay, Delay]] = {}
        self._probabilities = (0.0, 0.0)
        self._correlation = self._duplication = 0.0
        self._set(link.at(0.0))

    def begin(self, now: float) -> None:
        """Let the schedule count from now; until then, the link is as at its beginning."""
        self._begun_at = now
        self._update(now)

    def _update(self, now: float) -> None:
        seconds = now - self._begun_at
        self._set(self._link.at(seconds))
        self._next_change = self._begun_at + self._link.next_change(seconds)

    def _set(self, link: Link) -> None:
        self._is_up = link.is_up
        down_rate = link.downlink_rate_kbit or link.rate_kbit
        self._down.set(down_rate, queue_of(link, down_rate))
        if self._up is not self._down:
            up_rate = link.uplink_rate_kbit or link.rate_kbit
            self._up.set(up_rate, queue_of(link, up_rate))
        self._link_now = link
        self._delays.clear()
        loss = link.loss_percent / 100
        self._probabilities = (loss, 1 - (1 - loss) ** 0.5)
        self._correlation = link.loss_correlation_percent / 100
        self._duplication = link.duplication_percent / 100

    @property
    def round_trip_seconds(self) -> float:
        return 2 * self._link_now.latency_ms / 1000

    def send(self, now: float, size: int) -> float | Fate:
        """When a packet that its end sends has left it."""
        if now >= self._next_change:
            self._update(now)
        if not self._is_up:
            return Fate.OUTAGE
        left = self._up.pass_through(now, size)
        return Fate.QUEUE if left is None else left

    def travel(self, now: float, other: "Line", sender: str) -> float | Fate:
        """When what a sender has sent is before the other end's line."""
        if other is self:
            return Fate.LOSS if self._loses(0) else now + self._delay(sender)[0](now)
        if now >= other._next_change:
            other._update(now)
        if self._loses(1) or other._loses(1):
            return Fate.LOSS
        return now + self._delay(sender)[1](now) + other._delay(sender)[1](now)

    def _delay(self, sender: str) -> tuple[Delay, Delay]:
        """That of the whole way, and that of this end's half. Each sender has delays of its own.

        If a request and its answer met the same one, answers would be too quick: requests that come
        closely after each other do so while the delay falls.
        """
        found = self._delays.get(sender)
        if found is None:
            seed = f"{self._seed}/delay/{sender}"
            both = (make_delay(self._link_now, seed), make_delay(self._link_now, seed, 0.5))
            found = self._delays[sender] = both
        return found

    def receive(self, now: float, size: int, sender: "Line") -> float | Fate:
        """When what is before this end's line has come through it."""
        if sender is self:
            return now
        if now >= self._next_change:
            self._update(now)
        if not self._is_up:
            return Fate.OUTAGE
        arrived = self._down.pass_through(now, size)
        return Fate.QUEUE if arrived is None else arrived

    def duplicates(self) -> bool:
        return bool(self._duplication) and self._losses.chance.random() < self._duplication

    def _loses(self, share: int) -> bool:
        probability = self._probabilities[share]
        return bool(probability) and self._losses.next(probability, self._correlation)


def queue_of(link: Link, rate_kbit: float | None) -> int:
    """By default what passes in two round trips: enough for TCP, and no more than a few seconds' worth."""
    return link.queue_bytes or max(
        LEAST_QUEUE_BYTES, int((rate_kbit or 0) * 125 * 4 * link.latency_ms / 1000)
    )

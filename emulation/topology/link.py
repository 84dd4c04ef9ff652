"""A link: how long packets take, how many per second it carries, and what becomes of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from emulation.errors import InvalidTopology

PERCENTAGES = ("loss_percent", "loss_correlation_percent", "duplication_percent")
AMOUNTS = ("latency_ms", "jitter_ms", "delay_correlation_ms")
RATES = ("rate_kbit", "uplink_rate_kbit", "downlink_rate_kbit")


class Jitter(StrEnum):
    """How the delays of packets that follow each other are related."""

    CORRELATED = "correlated"
    """The delay wanders; packets keep their order."""
    INDEPENDENT = "independent"
    """Each packet has a delay of its own, as with netem; packets overtake each other."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is different on a link from a moment on; None: as before.

    An outage is `Change(at_seconds=20, is_up=False)`, its end `Change(at_seconds=30, is_up=True)`.
    """

    at_seconds: float
    is_up: bool | None = None
    latency_ms: float | None = None
    jitter_ms: float | None = None
    rate_kbit: float | None = None
    uplink_rate_kbit: float | None = None
    downlink_rate_kbit: float | None = None
    loss_percent: float | None = None
    loss_correlation_percent: float | None = None
    duplication_percent: float | None = None

    def __post_init__(self) -> None:
        if not self.at_seconds >= 0:
            raise InvalidTopology("a change happens at a number of seconds after the start")

    def values(self) -> dict[str, Any]:
        """What it sets."""
        found = {name: getattr(self, name) for name in self.__slots__ if name != "at_seconds"}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Link:
    """The way between two nodes of a network. Latency counts one way: a round trip takes twice it.

    Shared, as WoTemu's gateways are: all traffic of the network, in both directions, has the rate
    together. Not shared: each replica has a line of its own, with its uplink's and downlink's
    rate; of latency and loss between two replicas, half is owed to the line of each.
    """

    latency_ms: float = 0.0
    jitter_ms: float = 0.0
    rate_kbit: float | None = None
    """None: as much as the machine carries."""
    uplink_rate_kbit: float | None = None
    """What a replica may send, on a link that is not shared; by default `rate_kbit`."""
    downlink_rate_kbit: float | None = None
    """What a replica may receive, on a link that is not shared; by default `rate_kbit`."""
    loss_percent: float = 0.0
    loss_correlation_percent: float = 0.0
    """How likely a packet shares the fate of the one before, beyond chance: bursts."""
    duplication_percent: float = 0.0
    jitter: Jitter = Jitter.CORRELATED
    delay_correlation_ms: float | None = None
    """After how long a correlated delay is another; by default four times the jitter."""
    queue_bytes: int | None = None
    """What waits for the rate; more is dropped. By default what passes in two round trips."""
    is_shared: bool = True
    is_up: bool = True
    schedule: tuple[Change, ...] = ()
    schedule_period_seconds: float | None = None
    """After how long the schedule begins anew; None: never."""

    def __post_init__(self) -> None:
        changes: Sequence[Change] = sorted(self.schedule, key=lambda change: change.at_seconds)
        object.__setattr__(self, "schedule", tuple(changes))
        object.__setattr__(self, "jitter", Jitter(self.jitter))
        self._check()
        for change in self.schedule:
            replace(self, schedule=(), schedule_period_seconds=None, **change.values())

    def _check(self) -> None:
        for name in PERCENTAGES:
            if not 0 <= getattr(self, name) <= 100:
                raise InvalidTopology(f"{name} of a link is from 0 to 100")
        for name in AMOUNTS:
            if not (getattr(self, name) or 0) >= 0:
                raise InvalidTopology(f"{name} of a link is not negative")
        for name in RATES:
            rate = getattr(self, name)
            if rate is not None and not rate > 0:
                raise InvalidTopology(f"{name} of a link is positive; an outage is is_up=False")
        if self.is_shared and (self.uplink_rate_kbit or self.downlink_rate_kbit):
            raise InvalidTopology("uplink and downlink rates belong to a link with is_shared=False")
        if self.queue_bytes is not None and self.queue_bytes < 1600:
            raise InvalidTopology("queue_bytes of a link holds one packet at least: 1600")
        period = self.schedule_period_seconds
        if period is not None and not period > max(
            (c.at_seconds for c in self.schedule), default=0
        ):
            raise InvalidTopology("schedule_period_seconds of a link is more than its last change")

    def at(self, seconds: float) -> "Link":
        """The link as it is that long after the start, without a schedule."""
        if not self.schedule:
            return self
        values: dict[str, Any] = {}
        period = self.schedule_period_seconds
        if period is not None and seconds >= period:
            # What the round before left behind lasts until the first change of this one.
            for change in self.schedule:
                values |= change.values()
            seconds %= period
        for change in self.schedule:
            if change.at_seconds <= seconds:
                values |= change.values()
        return replace(self, schedule=(), schedule_period_seconds=None, **values)

    def next_change(self, seconds: float) -> float:
        """When it is another link after that many seconds: infinity if it stays."""
        period = self.schedule_period_seconds
        begin = 0.0 if period is None else seconds - seconds % period
        times = [begin + change.at_seconds for change in self.schedule]
        if period is not None and self.schedule:
            times.append(times[0] + period)
        return min((time for time in times if time > seconds), default=math.inf)

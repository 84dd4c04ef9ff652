"""Delays that vary: around what was asked for, never negative, with the mean that was asked for."""

import math
import random
from typing import Protocol

from emulation.topology.link import Jitter, Link

LEAST_PERIOD_SECONDS = 0.02
# Between two draws the delay is on the line from one to the other, which halves its variance.
AMPLIFICATION = math.sqrt(2)


class Delay(Protocol):
    """What a packet that comes now takes, in seconds."""

    def __call__(self, now: float) -> float: ...


def make_delay(
    link: Link, seed: str, share: float = 1.0, least_period: float = LEAST_PERIOD_SECONDS
) -> Delay:
    """The delay of a link, or of the line of one end of it: `share` is 0.5 then."""
    latency = link.latency_ms / 1000 * share
    # Of two lines whose jitters are independent, the squares of the jitters add up.
    deviation = link.jitter_ms / 1000 * math.sqrt(share)
    if not deviation or not latency:
        return lambda now: latency
    if link.jitter is Jitter.INDEPENDENT:
        chance = random.Random(seed)  # noqa: S311 - repeatable by intention
        return lambda now: latency + _deviate(chance, deviation, latency)
    period = link.delay_correlation_ms or 4 * link.jitter_ms
    return Wander(latency, deviation, max(period / 1000, least_period), seed)


def _deviate(chance: random.Random, deviation: float, limit: float) -> float:
    """A normal deviate that is no further off than the limit; symmetric, so the mean stays."""
    while True:
        value = chance.gauss(0, deviation)
        if abs(value) <= limit:
            return value


class Wander:
    """A delay that wanders from draw to draw; every second draw is the opposite of the one before.

    So its mean is right over a few draws already, and it never falls so fast that a packet would
    overtake the one before by more than a little.
    """

    def __init__(self, latency: float, deviation: float, period: float, seed: str) -> None:
        self._latency = latency
        self._deviation = deviation * AMPLIFICATION
        self._period = period
        self._seed = seed
        self._knot = -1
        self._from = self._to = 0.0

    def __call__(self, now: float) -> float:
        position = now / self._period
        knot = int(position)
        if knot != self._knot:
            self._knot = knot
            self._from, self._to = self._draw(knot), self._draw(knot + 1)
        return self._latency + self._from + (self._to - self._from) * (position - knot)

    def _draw(self, knot: int) -> float:
        chance = random.Random(f"{self._seed}/{knot // 2}")  # noqa: S311 - repeatable by intention
        value = _deviate(chance, self._deviation, self._latency)
        return value if knot % 2 == 0 else -value

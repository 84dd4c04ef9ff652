"""The way from one replica to another, for relays: what the switch does with frames, for segments."""

import math
import time
from dataclasses import dataclass

from emulation.embedded.plan import Port
from emulation.embedded.shaper import Fate, Line
from emulation.embedded.traffic import Traffic

SEGMENT_BYTES, HEADS_BYTES = 1448, 66
HANDSHAKE_BYTES = 74
LEAST_RECOVERY_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class End:
    """One end: a replica in a network, by its line; "" is one that nobody knows."""

    replica: str
    port: Port
    line: Line


class Way:
    """In one direction."""

    def __init__(self, source: End, target: End, protocol: str, traffic: Traffic) -> None:
        self._source = source
        self._target = target
        self._names = (source.port.network, source.replica, target.replica, protocol)
        self._traffic = traffic

    def pass_through(self, now: float, size: int) -> float | Fate:
        """When a packet arrives, in the time of time.monotonic(); or why it does not."""
        source, target = self._source.line, self._target.line
        left = source.send(now, size)
        if isinstance(left, Fate):
            return left
        arrival = source.travel(left, target, self._source.replica)
        return arrival if isinstance(arrival, Fate) else target.receive(arrival, size, source)

    def deliver(self, now: float, size: int) -> float | None:
        """When a segment of a stream arrives, which is never lost: a round trip later at worst.

        None while there is no room for it, or no line.
        """
        arrival = self.pass_through(now, size)
        if arrival is Fate.LOSS:
            self.drop(Fate.LOSS)
            return now + max(LEAST_RECOVERY_SECONDS, self._source.line.round_trip_seconds)
        return None if isinstance(arrival, Fate) else arrival

    def count(self, size: int, due: float = math.inf) -> None:
        """A packet has arrived that was due then."""
        self._traffic.passed(*self._names, size)
        self._traffic.was_late(time.monotonic() - due)

    def drop(self, why: Fate) -> None:
        self._traffic.dropped(*self._names, why)

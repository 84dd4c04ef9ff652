"""What brings the packets of replicas to each other, and what it says of that."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

from emulation.embedded.traffic import Count


class Carrying(StrEnum):
    """By what networks can be made."""

    AUTO = "auto"
    """The first of the others that this machine allows, in their order."""
    KERNEL = "kernel"
    """netem and tbf, where the kernel has them and `tc` is installed."""
    SWITCH = "switch"
    """A program between packet sockets, in namespaces."""
    RELAY = "relay"
    """A program between sockets on loopback: without namespaces."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a carrier did since the report before."""

    counts: list[Count]
    lateness_seconds: float
    """How long after it was due the latest packet was handed on."""
    missed: int
    """Packets that the kernel dropped, or did not count, since the carrier was not quick enough."""


Tell: TypeAlias = Callable[[Report], None]


class Carrier(Protocol):
    """All networks of an emulation, in a process of their own."""

    def run(self) -> None:
        """Until SIGTERM. On SIGUSR1, the links' schedules begin."""

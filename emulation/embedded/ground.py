"""Where replicas live: what keeps them apart, and what carries their packets."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from emulation.embedded.carrier import Carrier, Tell
from emulation.embedded.plan import Place
from emulation.topology.topology import TopologyPorts


@dataclass(frozen=True, slots=True)
class Seat:
    """The address and the ports that a replica's servers listen on."""

    address: str
    ports: TopologyPorts
    has_own_names: bool = False
    """Whether names are resolved in the process, by Python: not in an event loop of another kind."""


class Ground(Protocol):
    """What all replicas of an emulation stand on."""

    def prepare(self) -> list[str]:
        """Before anything else; returns how it is done, in words. Raises EmulationError, OSError."""

    def carrier(self, tell: Tell) -> Carrier:
        """What carries packets, made in the process that does. Raises OSError."""

    def enter(self, place: Place, folder: Path) -> Seat:
        """Called in a replica's process before it is one. Raises OSError."""

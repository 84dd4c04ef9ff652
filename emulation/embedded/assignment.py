"""What the runner hands to the process that holds an emulation."""

from dataclasses import dataclass
from pathlib import Path

from emulation.embedded.carrier import Carrying
from emulation.embedded.plan import Plan
from emulation.topology.topology import Topology


@dataclass(frozen=True, slots=True)
class Assignment:
    """A topology, laid out, and the folders for what it leaves."""

    topology: Topology
    plan: Plan
    base: Path
    """Where the topology's file is: what paths of applications are seen from."""
    metrics: Path
    logs: Path
    work: Path
    """For what replicas keep while they run; gone afterwards."""
    carrying: Carrying = Carrying.AUTO

    def ports(self) -> dict[int, str]:
        """The protocols by port."""
        ports = self.topology.ports
        return {5353: "mdns"} | ports.datagrams | ports.streams

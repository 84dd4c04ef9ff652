"""Who has which address on which interface: a topology as the embedded backend lays it out."""

from collections.abc import Iterator
from dataclasses import dataclass

from emulation.errors import InvalidTopology
from emulation.topology.link import Link
from emulation.topology.network import Network
from emulation.topology.node import Node
from emulation.topology.services import Broker
from emulation.topology.topology import Topology

NETWORKS_LIMIT = 200
MEMBERS_LIMIT = 4000


@dataclass(frozen=True, slots=True)
class Port:
    """One replica's place in one network."""

    network: str
    interface: str
    hub_interface: str
    address: str
    mac: bytes
    link: Link
    is_shared: bool
    """Whether the line is the network's, not one of its own."""


@dataclass(frozen=True, slots=True)
class Place:
    """One replica: its name, what it is one of, and where it is."""

    name: str
    kind: Node | Broker
    ports: tuple[Port, ...]

    @property
    def hosts(self) -> tuple[str, ...]:
        """What it is called: in every network it is in, and its own name for the first."""
        return tuple(f"{self.name}.{port.network}" for port in self.ports)


@dataclass(frozen=True, slots=True)
class Plan:
    """All replicas, in the order in which they are started."""

    places: tuple[Place, ...]

    def hosts_file(self, reader: Place) -> str:
        """What one replica finds in hosts(5): an address first, then its names."""
        lines = ["127.0.0.1 localhost", "::1 localhost"]
        names: dict[str, list[str]] = {}
        for name, address in self.addresses(reader).items():
            names.setdefault(address, []).append(name)
        lines += [f"{address} {' '.join(found)}" for address, found in names.items()]
        return "\n".join(lines) + "\n"

    def addresses(self, reader: Place) -> dict[str, str]:
        """By the names that one replica knows. `node.network` is the first replica of a node.

        The name of a replica in a network that the reader is not in stands for its address in one
        that both are in: Thing Descriptions know one name only.
        """
        found: dict[str, str] = {}
        own = {port.network for port in reader.ports}
        for place in self.places:
            reachable = [port for port in place.ports if port.network in own]
            for number, port in enumerate(place.ports):
                nearest = port if port in reachable else next(iter(reachable), port)
                found[f"{place.name}.{port.network}"] = nearest.address
                if place.name == place.kind.name and isinstance(place.kind, Node):
                    found[f"{place.name}-1.{port.network}"] = nearest.address
                if number == 0:
                    found[place.name] = nearest.address
        return found


def make_plan(topology: Topology) -> Plan:
    """Raises InvalidTopology when it is larger than one machine's address plan."""
    if len(topology.networks) > NETWORKS_LIMIT:
        raise InvalidTopology(f"at most {NETWORKS_LIMIT} networks fit on one machine")
    members: dict[str, int] = {network.name: 0 for network in topology.networks}
    numbers = {name: number for number, name in enumerate(members, 1)}

    def place(name: str, kind: Node | Broker) -> Place:
        ports = []
        for position, network in enumerate(kind.networks):
            members[network.name] += 1
            if members[network.name] > MEMBERS_LIMIT:
                raise InvalidTopology(f"{network.name}: at most {MEMBERS_LIMIT} replicas")
            where = (numbers[network.name], members[network.name])
            ports.append(_port(kind, network, position, *where))
        return Place(name, kind, tuple(ports))

    return Plan(tuple(place(name, kind) for name, kind in _replicas(topology)))


def _replicas(topology: Topology) -> Iterator[tuple[str, Node | Broker]]:
    """Brokers first, since nodes want them at once."""
    for broker in topology.brokers:
        yield broker.name, broker
    for node in topology.nodes:
        for name in node.replicas:
            yield name, node


def _port(kind: Node | Broker, network: Network, position: int, number: int, member: int) -> Port:
    own = kind.links.get(network.name) if isinstance(kind, Node) else None
    link = own or network.effective_link
    high, low = divmod(member, 250)
    return Port(
        network.name,
        f"eth{position}",
        f"n{number}m{member}",
        f"10.{number}.{high}.{low + 1}",
        bytes((2, 0, 0, number, member >> 8, member & 255)),
        link,
        own is None and link.is_shared,
    )

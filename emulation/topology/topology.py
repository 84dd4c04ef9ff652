"""A topology: all nodes, brokers and networks of an emulation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from emulation.errors import InvalidTopology
from emulation.topology.network import Network
from emulation.topology.node import Node
from emulation.topology.services import Broker, Service

Named = TypeVar("Named", Network, Broker, Service)


@dataclass(frozen=True, slots=True)
class TopologyPorts:
    """The ports that every node uses."""

    catalogue: int = 9090
    http: int = 80
    ws: int = 81
    mqtt: int = 1883
    coap: int = 5683

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not 1 <= getattr(self, name) <= 65535:
                raise InvalidTopology(f"port {name} is from 1 to 65535")

    @property
    def streams(self) -> dict[int, str]:
        """The protocols over TCP, by port."""
        found = {self.catalogue: "catalogue", self.http: "http", self.ws: "websocket"}
        return found | {self.mqtt: "mqtt"}

    @property
    def datagrams(self) -> dict[int, str]:
        """The protocols over UDP, by port."""
        return {self.coap: "coap"}


@dataclass(frozen=True, slots=True)
class TopologyRedis:
    """Where metrics can be written to beside the files; WoTemu kept them there."""

    enabled: bool = True
    host: str = "redis"
    redis_url: str | None = None


@dataclass(frozen=True, slots=True)
class TopologyDockerProxy:
    """Taken and without effect: no node needs to reach Docker."""

    enabled: bool = True
    host: str = "docker_api_proxy"


@dataclass(frozen=True)
class Topology:
    """What is emulated."""

    nodes: Sequence[Node]
    ports: TopologyPorts = field(default_factory=TopologyPorts)
    redis: TopologyRedis | None = None
    docker_proxy: TopologyDockerProxy | None = None
    brokers: Sequence[Broker] = ()
    """All of them, each once: those given first, then those of nodes."""
    seed: int = 0
    """Of everything random in the networks: runs with the same seed lose the same packets."""
    name: str = "emulation"

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", tuple(self.nodes))
        object.__setattr__(self, "ports", self.ports or TopologyPorts())
        found = (node.broker for node in self.nodes if node.broker is not None)
        object.__setattr__(self, "brokers", _once("brokers", (*(self.brokers or ()), *found)))
        if not self.nodes:
            raise InvalidTopology("a topology has a node at least")
        hosts = [*(node.name for node in self.nodes), *(broker.name for broker in self.brokers)]
        twice = {name for name in hosts if hosts.count(name) > 1}
        if twice:
            raise InvalidTopology(f"names are given twice: {', '.join(sorted(twice))}")
        self.networks  # noqa: B018 - raises when two of them have one name

    @property
    def networks(self) -> tuple[Network, ...]:
        """All networks, each once, in the order of first mention."""
        of_nodes = (network for node in self.nodes for network in node.networks)
        of_brokers = (network for broker in self.brokers for network in broker.networks)
        return _once("networks", (*of_nodes, *of_brokers))

    @property
    def services(self) -> tuple[Service, ...]:
        """All services that nodes are linked to, each once."""
        return _once("services", (service for node in self.nodes for service in node.services))


def _once(kind: str, items: Iterable[Named]) -> tuple[Named, ...]:
    found: dict[str, Named] = {}
    for item in items:
        if found.setdefault(item.name, item) != item:
            raise InvalidTopology(f"two different {kind} are called {item.name}")
    return tuple(found.values())

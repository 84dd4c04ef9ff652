"""A node: an application in networks, with limits, in one or more replicas."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from emulation.errors import InvalidTopology
from emulation.topology.apps import NodeApp
from emulation.topology.link import Link
from emulation.topology.names import to_name
from emulation.topology.network import Network
from emulation.topology.services import Broker, Service

MULTIPLES = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30}


def parse_memory(text: str | int | None) -> int | None:
    """Bytes of what Docker takes: a number, or one with b, k, m or g. Raises InvalidTopology."""
    if text is None or isinstance(text, int):
        return text
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([bkmg]?)(?:i?b)?", text.strip().lower())
    if match is None:
        raise InvalidTopology(f"{text!r} is no amount of memory: 150M")
    return int(float(match[1]) * MULTIPLES[match[2]])


@dataclass(frozen=True)
class NodeResources:
    """What a replica may use. `target_cpu_speed`: a share of a core, as events per second of a benchmark."""

    cpu_limit: float | str | None = None
    """In cores: 0.5 is half of one."""
    mem_limit: str | int | None = None
    cpu_reservation: float | str | None = None
    mem_reservation: str | int | None = None
    target_cpu_speed: float | None = None

    def __post_init__(self) -> None:
        if self.cpu_limit and self.target_cpu_speed:
            raise InvalidTopology("resources have a cpu_limit or a target_cpu_speed, not both")
        parse_memory(self.mem_limit)
        parse_memory(self.mem_reservation)
        for name in ("cpu_limit", "cpu_reservation", "target_cpu_speed"):
            value = getattr(self, name)
            try:
                is_valid = value is None or float(value) > 0
            except ValueError as error:
                raise InvalidTopology(f"{name} is a number, not {value!r}") from error
            if not is_valid:
                raise InvalidTopology(f"{name} is positive")

    @property
    def memory_bytes(self) -> int | None:
        return parse_memory(self.mem_limit)

    @property
    def cpu_cores(self) -> float | None:
        return float(self.cpu_limit) if self.cpu_limit else None


class RestartPolicy(StrEnum):
    """When a replica that ended is started again."""

    ALWAYS = "always"
    ON_FAILURE = "on-failure"
    NEVER = "never"


@dataclass(frozen=True)
class Node:
    """An application in one or more networks. Its replicas are `name`, `name-2`, `name-3`, …"""

    name: str
    app: NodeApp
    networks: Sequence[Network]
    broker: Broker | None = None
    broker_network: Network | None = None
    image: str | None = None
    resources: NodeResources | None = None
    scale: int = 1
    services: Sequence[Service] = ()
    args_compose: Mapping[str, Any] | None = None
    links: Mapping[str, Link] = field(default_factory=dict)
    """Lines of its own by a network's name, instead of the network's link."""
    restart: RestartPolicy = RestartPolicy.ALWAYS

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", to_name(self.name))
        object.__setattr__(self, "networks", tuple(self.networks))
        object.__setattr__(self, "services", tuple(self.services or ()))
        object.__setattr__(self, "links", {to_name(str(k)): v for k, v in self.links.items()})
        object.__setattr__(self, "restart", RestartPolicy(self.restart))
        object.__setattr__(self, "scale", 1 if self.scale is None else self.scale)
        self._check()

    def _check(self) -> None:
        if not isinstance(self.scale, int) or not 1 <= self.scale <= 1000:
            raise InvalidTopology(f"{self.name}: scale is from 1 to 1000")
        if not self.networks:
            raise InvalidTopology(f"{self.name}: is in no network")
        if self.app.mqtt and not self.broker:
            raise InvalidTopology(f"{self.name}: MQTT wants a broker")
        if self.broker and self.broker_network and self.broker_network not in self.broker.networks:
            raise InvalidTopology(
                f"{self.name}: broker {self.broker} is not in network {self.broker_network}"
            )
        for transport in ("TCP", "UDP"):
            if not all(1 <= port <= 65535 for port in self.other_ports(transport)):
                raise InvalidTopology(f"{self.name}: a port is from 1 to 65535")
        unknown = set(self.links) - {network.name for network in self.networks}
        if unknown:
            raise InvalidTopology(f"{self.name}: has links in networks it is not in: {unknown}")

    def link_service(self, service: Service) -> None:
        """Let the node reach a service; a step of describing, as with WoTemu."""
        object.__setattr__(self, "services", (*self.services, service))

    @property
    def replicas(self) -> tuple[str, ...]:
        """The names of its replicas."""
        rest = (f"{self.name}-{number}" for number in range(2, self.scale + 1))
        return (self.name, *rest)

    @property
    def environment(self) -> dict[str, str]:
        """Variables of its processes, as they stand in Compose's arguments: a mapping or `NAME=value`."""
        given = (self.args_compose or {}).get("environment") or {}
        if not isinstance(given, Mapping):
            given = dict(str(item).partition("=")[::2] for item in given)
        return {str(name): str(value) for name, value in given.items() if value is not None}

    def other_ports(self, transport: str) -> tuple[int, ...]:
        """Those of its program's own protocols over TCP or UDP: `OTHER_PORTS_TCP=9898,9899`."""
        text = self.environment.get(f"OTHER_PORTS_{transport}", "")
        try:
            return tuple(int(port) for port in text.split(",")) if text else ()
        except ValueError as error:
            raise InvalidTopology(f"{self.name}: {text!r} are no ports") from error

    @property
    def broker_host(self) -> str | None:
        """The name that the broker has in a network of this node, else in its own first."""
        if self.broker is None:
            return None
        shared = [network for network in self.broker.networks if network in self.networks]
        network = self.broker_network or (shared or list(self.broker.networks))[0]
        return f"{self.broker.name}.{network.name}"

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return self.name

"""Brokers, and programs beside the nodes that only a container backend can run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulation.errors import InvalidTopology
from emulation.topology.names import to_name
from emulation.topology.network import Network


@dataclass(frozen=True)
class Broker:
    """An MQTT broker in one or more networks."""

    name: str
    networks: Sequence[Network]
    args_compose: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", to_name(self.name))
        object.__setattr__(self, "networks", tuple(self.networks))
        if not self.networks:
            raise InvalidTopology(f"broker {self.name}: is in no network")

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, init=False)
class Service:
    """A program in a container, for nodes that are linked to it; only the Swarm backend runs it.

    All other keywords (`restart_policy`, `environment`, …) stand in the stack file as they are.
    """

    name: str
    image: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def __init__(self, name: str, image: str, **options: Any) -> None:
        object.__setattr__(self, "name", to_name(name))
        object.__setattr__(self, "image", image)
        object.__setattr__(self, "options", options)

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return self.name

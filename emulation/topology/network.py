"""A network: what its members reach each other by."""

from dataclasses import dataclass
from typing import Any

from emulation.errors import InvalidTopology
from emulation.topology.conditions import CONDITIONS, LinkConditions, NetworkConditions
from emulation.topology.link import Link
from emulation.topology.names import to_name
from emulation.topology.netem import to_link


@dataclass(frozen=True)
class Network:
    """A network with a name, and with a link: given, by the name of conditions, or in netem's words.

    `netem` holds arguments as WoTemu passes them on to pumba: `delay --time 15 --jitter 10`,
    `rate --rate 100kbit`, `loss --percent 1`, `duplicate --percent 1`. Without any of the three,
    packets pass as fast as the machine carries them.
    """

    name: str
    netem: tuple[str, ...] = ()
    conditions: NetworkConditions | LinkConditions | None = None
    link: Link | None = None
    args_compose_net: dict[str, Any] | None = None
    args_compose_gw: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", to_name(self.name))
        object.__setattr__(self, "netem", tuple(self.netem or ()))
        if self.conditions is not None and self.conditions not in CONDITIONS:
            raise InvalidTopology(f"{self.name}: there are no conditions {self.conditions!r}")
        if self.link is not None and (self.conditions or self.netem):
            raise InvalidTopology(f"{self.name}: give a link, or conditions, or netem")
        if self.netem:
            to_link(self.netem)

    @property
    def effective_link(self) -> Link:
        """The link that holds: of netem's arguments before the conditions', as with WoTemu."""
        if self.link is not None:
            return self.link
        if self.netem:
            return to_link(self.netem)
        return CONDITIONS[self.conditions] if self.conditions else Link()

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return self.name

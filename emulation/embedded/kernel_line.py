"""A line as the kernel has it: netem with tbf behind it on one interface."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from emulation.embedded import tc
from emulation.embedded.plan import Plan
from emulation.embedded.shaper import Fate
from emulation.embedded.wander import Delay, make_delay
from emulation.topology.link import Jitter, Link

# The least time in which a delay that wanders becomes another: it is set a hundred times a second.
LEAST_PERIOD_SECONDS = 0.1


@dataclass(slots=True)
class Line:
    """One pair of netem and tbf: a network's, or of one replica in one direction."""

    interface: str
    network: str
    replica: str
    """"" for all of its network."""
    link: Link
    share: float
    is_down: bool
    delay: Delay = field(init=False)
    now: Link = field(init=False)
    next_change: float = math.inf
    said: tuple[str, str] = ("", "")
    dropped: dict[Fate, int] = field(default_factory=dict)

    def set(self, seconds: float, seed: str) -> None:
        """Be as the link is that long after the beginning."""
        self.now = self.link.at(seconds)
        self.next_change = self.link.next_change(seconds)
        own = f"{seed}/{self.interface}"
        if self.now.jitter is Jitter.INDEPENDENT:
            latency = self.now.latency_ms / 1000 * self.share
            self.delay = lambda now: latency
        else:
            self.delay = make_delay(self.now, own, self.share, LEAST_PERIOD_SECONDS)

    def words(self, now: float) -> tuple[str, str]:
        """What netem and tbf are told."""
        link = self.now
        rate = link.downlink_rate_kbit if self.is_down else link.uplink_rate_kbit
        delay = tc.netem(link, self.delay(now), self.share)
        return delay, tc.tbf(link, rate or link.rate_kbit)


def lines_of(plan: Plan) -> Iterator[Line]:
    """One for each network that is shared, and two for each place with lines of its own."""
    shared: dict[str, Link] = {}
    for place in plan.places:
        for port in place.ports:
            if port.is_shared:
                shared[port.network] = port.link
                continue
            own = (port.network, place.name, port.link, 0.5)
            yield Line(f"u{port.hub_interface}", *own, is_down=False)
            yield Line(port.hub_interface, *own, is_down=True)
    for number, (network, link) in enumerate(shared.items()):
        yield Line(f"line{number}", network, "", link, 1.0, is_down=False)

"""A metric by its name: what it is of, and where its values come from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from servient.telemetry.metrics.histogram import Histogram

PREFIX = "wasm_servient_"
# As the label of a family's values says of which Thing they are.
THING = "thing"

_V = TypeVar("_V")
Labels: TypeAlias = tuple[str, ...]
Values: TypeAlias = Mapping[Labels, _V]


@dataclass(frozen=True, slots=True)
class _Family(Generic[_V]):
    """`read` gives the present values by those of its labels; it is called on the event loop."""

    name: str
    help: str
    labels: Labels
    read: Callable[[], Values[_V]]

    def visible(self, sees: Callable[[str], bool]) -> dict[Labels, _V]:
        """The present values, without those of Things that who asks may not see."""
        values = self.read()
        if not self.labels or self.labels[0] != THING:
            return dict(values)
        return {labels: value for labels, value in values.items() if sees(labels[0])}


class Gauge(_Family[float]):
    """A number that goes up and down."""


class Counter(_Family[float]):
    """A number that grows; Prometheus has `_total` behind its name."""


class Durations(_Family[Histogram]):
    """How long things took."""


Family: TypeAlias = Gauge | Counter | Durations


def one(value: float) -> Values[float]:
    """The only value of a family without labels."""
    return {(): value}

"""How the replicas of a run are, as far as the runner has heard."""

from dataclasses import dataclass, field

from emulation.metrics.records import State


@dataclass(slots=True)
class Status:
    """One replica."""

    name: str
    state: str = "waiting"
    starts: int = 0
    interactions: int = 0
    errors: int = 0
    events: int = 0
    detail: str = ""


@dataclass(slots=True)
class Board:
    """All replicas, and what the switch says of itself."""

    statuses: dict[str, Status]
    mechanism: list[str] = field(default_factory=list)
    packets: int = 0
    data_bytes: int = 0
    dropped: int = 0
    lateness_seconds: float = 0.0
    """The longest of the last second."""
    worst_lateness_seconds: float = 0.0
    missed: int = 0
    were_ready: set[str] = field(default_factory=set)

    @property
    def is_ready(self) -> bool:
        """Whether every replica has been ready once."""
        return len(self.were_ready) == len(self.statuses)

    def changed(self, replica: str, state: State, detail: str = "") -> None:
        status = self.statuses[replica]
        status.state = state.value
        status.starts += state is State.STARTED
        status.detail = detail or status.detail
        if state is State.READY:
            self.were_ready.add(replica)

    def figures(self, replica: str, interactions: int, errors: int, events: int) -> None:
        status = self.statuses[replica]
        status.interactions, status.errors, status.events = interactions, errors, events

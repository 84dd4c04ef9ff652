"""Counts what a replica does, for the live view, on the way into its recorder."""

from typing import Any

from emulation.metrics.recorder import Recorder
from emulation.metrics.records import EventRecord, InteractionRecord, Record


class Tally(Recorder):
    """A recorder that also knows how many interactions, errors and events there were."""

    interactions = errors = events = 0
    is_over = False

    def end(self) -> None:
        """What comes from now on belongs to the run no more."""
        self.is_over = True

    def record(self, record: Record) -> None:
        if self.is_over:
            return
        if isinstance(record, InteractionRecord):
            self.interactions += 1
            self.errors += bool(record.error)
        elif isinstance(record, EventRecord):
            self.events += 1
        super().record(record)

    def figures(self) -> dict[str, Any]:
        return {
            "interactions": self.interactions,
            "errors": self.errors,
            "events": self.events,
        }

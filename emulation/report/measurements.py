"""What was measured in one run, read from its merged file."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, TypeVar

from emulation.metrics.merge import Ties
from emulation.metrics.records import (
    HostRecord,
    InteractionRecord,
    LogRecord,
    StateRecord,
    SubscriptionRecord,
    TrafficRecord,
    UsageRecord,
)
from emulation.metrics.run import RunDescription, RunFolder

T = TypeVar("T")

LOG_LIMIT_LINES = 40
_CALLS = """
SELECT c.replica, c.at, c.seconds, c.thing, c.affordance, c.operation, c.protocol, c.href,
       c.input_bytes, c.output_bytes, c.error, e.seconds
FROM interaction c LEFT JOIN tied t ON t.consumed = c.rowid
LEFT JOIN interaction e ON e.rowid = t.exposed
WHERE c.side = 'consumed' ORDER BY c.at
"""

_EVENTS = """
SELECT v.replica, v.at, v.thing, v.affordance, v.operation, v.protocol, v.data_bytes, e.at
FROM event v LEFT JOIN heard h ON h.event = v.rowid LEFT JOIN emission e ON e.rowid = h.emission
ORDER BY v.at
"""


@dataclass(frozen=True, slots=True)
class Call:
    """A consumer's interaction; `handler_seconds` is None where the producer's side is not known."""

    replica: str
    at: float
    seconds: float
    thing: str
    affordance: str
    operation: str
    protocol: str
    href: str
    input_bytes: int
    output_bytes: int
    error: str
    handler_seconds: float | None

    @property
    def network_seconds(self) -> float | None:
        """What was not the handler's: networks, protocols, and waiting on both ends."""
        if self.handler_seconds is None:
            return None
        return max(0.0, self.seconds - self.handler_seconds)


@dataclass(frozen=True, slots=True)
class Event:
    """What a subscriber received; `emitted_at` is None where its emission is not known."""

    replica: str
    at: float
    thing: str
    affordance: str
    operation: str
    protocol: str
    data_bytes: int
    emitted_at: float | None

    @property
    def delivery_seconds(self) -> float | None:
        """From the emission to the subscriber's program, by one clock."""
        return None if self.emitted_at is None else max(0.0, self.at - self.emitted_at)


@dataclass(frozen=True)
class Measurements:
    """One run in memory. Traffic is empty where nobody could count packets."""

    label: str
    description: RunDescription
    ties: Ties
    calls: Sequence[Call]
    works: Sequence[InteractionRecord]
    events: Sequence[Event]
    subscriptions: Sequence[SubscriptionRecord]
    traffic: Sequence[TrafficRecord]
    usage: Sequence[UsageRecord]
    host: Sequence[HostRecord]
    states: Sequence[StateRecord]
    logs: Sequence[LogRecord]
    lost_records: int = 0
    prefix: str = ""
    """Of anchors in the report, where it has more than one run."""

    @property
    def start(self) -> float:
        return self.description.started_at

    @property
    def seconds(self) -> float:
        return self.description.seconds

    @cached_property
    def replicas(self) -> tuple[str, ...]:
        """Those described, then others that have left a trace."""
        described = [r for node in self.description.nodes for r in node.replicas]
        seen = [
            record.replica
            for records in (self.calls, self.works, self.states, self.usage)
            for record in records
        ]
        return tuple(dict.fromkeys((*described, *seen)))

    def node_of(self, replica: str) -> str:
        return self._nodes.get(replica, replica)

    # By replica

    @cached_property
    def usage_of(self) -> dict[str, list[UsageRecord]]:
        return _by(self.usage, "replica")

    @cached_property
    def calls_of(self) -> dict[str, list[Call]]:
        return _by(self.calls, "replica")

    @cached_property
    def works_of(self) -> dict[str, list[InteractionRecord]]:
        return _by(self.works, "replica")

    @cached_property
    def events_of(self) -> dict[str, list[Event]]:
        return _by(self.events, "replica")

    @cached_property
    def sent_by(self) -> dict[str, list[TrafficRecord]]:
        return _by(self.traffic, "sender")

    @cached_property
    def received_by(self) -> dict[str, list[TrafficRecord]]:
        return _by(self.traffic, "receiver")

    @cached_property
    def _nodes(self) -> dict[str, str]:
        return {r: node.name for node in self.description.nodes for r in node.replicas}


def _by(records: Iterable[T], name: str) -> dict[str, list[T]]:
    found: dict[str, list[T]] = {}
    for record in records:
        found.setdefault(getattr(record, name), []).append(record)
    return found


def load(folder: RunFolder, label: str = "", prefix: str = "") -> Measurements:
    """Bring a run's measurements together and read them. Raises NotARun, UnknownMetricsFile."""
    description = folder.read()
    ties = folder.merge()
    with closing(sqlite3.connect(folder.merged_path)) as database:
        (lost,) = database.execute("SELECT coalesce(sum(records), 0) FROM loss").fetchone()
        return Measurements(
            label or folder.path.resolve().name,
            description,
            ties,
            [Call(*row) for row in database.execute(_CALLS)],
            _read(database, InteractionRecord, "WHERE side = 'exposed' ORDER BY at"),
            [Event(*row) for row in database.execute(_EVENTS)],
            _read(database, SubscriptionRecord, "ORDER BY at"),
            _read(database, TrafficRecord, "ORDER BY at"),
            _read(database, UsageRecord, "ORDER BY at"),
            _read(database, HostRecord, "ORDER BY at"),
            _read(database, StateRecord, "ORDER BY at"),
            list(_log_tails(database)),
            lost,
            prefix,
        )


def _read(database: sqlite3.Connection, record: type[T], rest: str) -> list[T]:
    names = ", ".join(field.name for field in fields(record))  # type: ignore[arg-type] # dataclasses
    table: Any = record
    return [record(*row) for row in database.execute(f"SELECT {names} FROM {table.table} {rest}")]  # noqa: S608 - our names


def _log_tails(database: sqlite3.Connection) -> Iterator[LogRecord]:
    for (replica,) in database.execute("SELECT DISTINCT replica FROM log").fetchall():
        rows = database.execute(
            "SELECT replica, at, line FROM log WHERE replica = ? ORDER BY rowid DESC LIMIT ?",
            (replica, LOG_LIMIT_LINES),
        ).fetchall()
        yield from (LogRecord(*row) for row in reversed(rows))

"""Many files of metrics become one, and calls are tied to the work that they caused."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from emulation.metrics.records import RECORDS, columns
from emulation.metrics.tables import UnknownMetricsFile, create, require_version

# How far clocks, and the order in which times are taken, may be apart.
TOLERANCE_SECONDS = 0.005

_TIED = (
    "CREATE TABLE tied (consumed INTEGER PRIMARY KEY, exposed INTEGER UNIQUE, is_certain INTEGER)"
)
_BY_SPAN = """
INSERT OR IGNORE INTO tied
SELECT c.rowid, e.rowid, 1 FROM interaction c JOIN interaction e ON e.span = c.span
WHERE c.side = 'consumed' AND e.side = 'exposed' AND c.span != ''
  AND e.affordance = c.affordance AND e.operation = c.operation
ORDER BY c.at
"""
# How long before its receipt an emission is looked for: beyond any line's delay and queue.
DELIVERY_SECONDS = 60.0
_HEARD = "CREATE TABLE heard (event INTEGER PRIMARY KEY, emission INTEGER)"
# Where the same value was emitted twice, nobody knows which of them it is. What a subscriber is told
# when it begins is older than its subscription, and nobody's emission.
_BY_DIGEST = """
INSERT INTO heard
SELECT event.rowid, emission.rowid FROM event JOIN emission
  ON emission.digest = event.digest AND emission.affordance = event.affordance
  AND emission.thing = event.thing AND emission.operation = event.operation
WHERE event.digest != '' AND emission.at BETWEEN event.at - ? AND event.at + ?
  AND emission.at >= (
    SELECT coalesce(max(s.at), 0) FROM subscription s
    WHERE s.change = 'begun' AND s.replica = event.replica AND s.thing = event.thing
      AND s.affordance = event.affordance AND s.operation = event.operation AND s.at <= event.at)
GROUP BY event.rowid HAVING count(*) = 1
"""
# A call may have carried a trace over a wire that lost it; what came with one is found by it.
_CALLS = "rowid NOT IN (SELECT consumed FROM tied)"
_WORKS = "span = ''"
_UNTIED = """
SELECT rowid, thing, affordance, operation, at, seconds FROM interaction
WHERE side = ? AND {condition} ORDER BY at
"""


@dataclass(frozen=True, slots=True)
class Ties:
    """How many consumers' calls were found again with their producers, by which means; and how many
    of the events that they received with their emissions.
    """

    by_trace: int
    by_time: int
    calls: int
    heard: int = 0
    events: int = 0


def merge(paths: Iterable[Path], out: Path) -> Ties:
    """Write one file of all of these, in the order of time. An existing file is replaced.

    Its table `tied` has the rows of `interaction` that belong together. Raises UnknownMetricsFile.
    """
    for path in (out, *(out.with_name(f"{out.name}-{end}") for end in ("wal", "shm"))):
        path.unlink(missing_ok=True)
    with closing(create(out)) as database:
        for path in sorted(paths):
            _add(database, path)
        database.execute("CREATE INDEX by_span ON interaction (span)")
        ties = tie(database)
        database.execute("PRAGMA journal_mode=DELETE")  # one file, to be sent to others
        return ties


def earliest_and_latest(paths: Iterable[Path]) -> tuple[float, float]:
    """The times of the first and the last record in any of these; zeros when there is none.

    Raises UnknownMetricsFile.
    """
    times: list[float] = []
    for path in paths:
        with closing(sqlite3.connect(path)) as database:
            require_version(database, "main", path.name)
            for record in RECORDS:
                row = database.execute(f"SELECT min(at), max(at) FROM {record.table}").fetchone()  # noqa: S608 - our names
                times += [at for at in row if at is not None]
    return min(times, default=0.0), max(times, default=0.0)


def _add(database: sqlite3.Connection, path: Path) -> None:
    if path.stat().st_size == 0:
        return  # of a replica that was killed before it had begun
    try:
        database.execute("ATTACH ? AS part", (str(path),))
    except sqlite3.DatabaseError as error:
        raise UnknownMetricsFile(f"{path.name} is not a metrics file") from error
    try:
        require_version(database, "part", path.name)
        with database:
            for record in RECORDS:
                names = ", ".join(columns(record))
                table = record.table
                database.execute(
                    f"INSERT INTO main.{table} ({names}) SELECT {names} FROM part.{table}"  # noqa: S608 - our names
                )
    finally:
        database.execute("DETACH part")


def tie(database: sqlite3.Connection) -> Ties:
    """By the trace that was carried; calls that carried none by what was asked for when."""
    with database:
        database.execute(_TIED)
        by_trace = database.execute(_BY_SPAN).rowcount
        by_time = _tie_by_time(database)
        heard = _hear(database)
    query = "SELECT count(*) FROM interaction WHERE side = 'consumed'"
    (calls,) = database.execute(query).fetchone()
    (events,) = database.execute("SELECT count(*) FROM event").fetchone()
    return Ties(by_trace, by_time, calls, heard, events)


def _hear(database: sqlite3.Connection) -> int:
    """Tie what subscribers received to its emission, by what it said."""
    database.execute("CREATE INDEX by_digest ON emission (digest, at)")
    database.execute("CREATE INDEX by_subscriber ON subscription (replica, thing, affordance)")
    database.execute(_HEARD)
    return database.execute(_BY_DIGEST, (DELIVERY_SECONDS, TOLERANCE_SECONDS)).rowcount


def _tie_by_time(database: sqlite3.Connection) -> int:
    """Each call gets the first work of its kind that begins and ends within it, and is nobody's."""
    works: dict[tuple[str, str, str], list[tuple[int, float, float]]] = {}
    for row, thing, affordance, operation, at, seconds in database.execute(
        _UNTIED.format(condition=_WORKS), ("exposed",)
    ):
        works.setdefault((thing, affordance, operation), []).append((row, at, at + seconds))
    found = []
    calls = database.execute(_UNTIED.format(condition=_CALLS), ("consumed",)).fetchall()
    for row, thing, affordance, operation, at, seconds in calls:
        begin, end = at - TOLERANCE_SECONDS, at + seconds + TOLERANCE_SECONDS
        candidates = works.get((thing, affordance, operation), [])
        while candidates and candidates[0][1] < begin:
            candidates.pop(0)  # calls come in the order of their beginnings: nobody's work
        match = next((work for work in candidates if work[1] <= end and work[2] <= end), None)
        if match is not None:
            candidates.remove(match)
            found.append((row, match[0]))
    database.executemany("INSERT INTO tied VALUES (?, ?, 0)", found)
    return len(found)

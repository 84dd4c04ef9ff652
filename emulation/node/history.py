"""Values of properties with their times, in a SQLite file."""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

# Without a `fromUnix`, the values of so long are handed out.
DEFAULT_SPAN_SECONDS = 60.0
TABLE = (
    "CREATE TABLE IF NOT EXISTS history (at REAL, property TEXT, thing TEXT, servient TEXT, value)"
)
COLUMNS = {"propertyName": "property", "thingId": "thing", "servient": "servient"}


class History(Protocol):
    """Entries have `unixTime`, `propertyName`, `thingId`, `servient` and `value`."""

    def write(self, entry: dict[str, Any]) -> None: ...

    def keys(self) -> list[dict[str, Any]]:
        """What there are values of."""

    def get(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        """Those of a span of time; with `buckets`, the first of each of so many parts of it."""


class Span(NamedTuple):
    """From, and up to but not including, seconds since 1970."""

    start: float
    end: float

    @classmethod
    def of(cls, wanted: dict[str, Any]) -> "Span":
        now = time.time()
        start = float(wanted.get("fromUnix") or now - DEFAULT_SPAN_SECONDS)
        return cls(start, float(wanted.get("toUnix") or now + 1))

    def thin_out(self, found: Iterable[dict[str, Any]], buckets: int) -> Iterator[dict[str, Any]]:
        """The first of each of so many parts; 0: all."""
        seen = set()
        for entry in found:
            bucket = int((entry["unixTime"] - self.start) / (self.end - self.start) * buckets)
            if not buckets or bucket not in seen:
                seen.add(bucket)
                yield entry


class SqliteHistory:
    """To be used on one thread."""

    def __init__(self, file: Path) -> None:
        self._database = sqlite3.connect(file)
        self._database.execute(TABLE)
        self._database.execute("CREATE INDEX IF NOT EXISTS by_time ON history (property, at)")

    def write(self, entry: dict[str, Any]) -> None:
        at = entry.get("unixTime") or time.time()
        names = (entry[name] for name in COLUMNS)
        with self._database:
            self._database.execute(
                "INSERT INTO history VALUES (?, ?, ?, ?, ?)",
                (at, *names, json.dumps(entry["value"])),
            )

    def keys(self) -> list[dict[str, Any]]:
        rows = self._database.execute(
            "SELECT DISTINCT property, thing, servient FROM history ORDER BY 1, 2, 3"
        )
        return [dict(zip(COLUMNS, row, strict=True)) for row in rows]

    def get(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        span = Span.of(wanted)
        conditions, values = ["at >= ?", "at < ?"], [*span]
        for name, column in COLUMNS.items():
            if wanted.get(name):
                conditions.append(f"{column} = ?")
                values.append(wanted[name])
        query = "SELECT at, property, thing, servient, value FROM history WHERE "
        rows = self._database.execute(query + " AND ".join(conditions) + " ORDER BY at", values)
        found = (
            {
                "unixTime": at,
                **dict(zip(COLUMNS, names, strict=True)),
                "value": json.loads(value),
            }
            for at, *names, value in rows
        )
        return list(span.thin_out(found, int(wanted.get("buckets") or 0)))

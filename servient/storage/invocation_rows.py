"""The rows of invocations: how they are written, deleted and counted. For the database's thread."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from servient.storage.database import transaction
from servient.storage.documents import Place
from servient.storage.record_log import Entry
from servient.wot.invocations import RUNNING_LIMIT
from servient.wot.record import Kept, Record
from servient.wot.stored_file import StoredFile

_NUMBERS = "UPDATE numbers SET next = max(next, ?)"


class Prepared(NamedTuple):
    """A record that can be written: its files are there already."""

    kept: Kept
    text: str
    files: Mapping[Place, StoredFile] = MappingProxyType({})


class Order:
    """Times by which records are in the order in which they ended, also where the clock was put back."""

    def __init__(self) -> None:
        self._last = 0.0

    def after(self, seconds: float) -> float:
        self._last = max(seconds, self._last + 1e-6)
        return self._last

    def of(self, record: Record) -> float | None:
        seconds = record.ended_at_seconds
        return None if seconds is None else self.after(seconds)


def insert_entries(
    connection: sqlite3.Connection, entries: Iterable[Entry], next_number: int = 0
) -> None:
    """One that had ended when it was kept stays so, in whichever order it comes."""
    with transaction(connection):
        for entry in entries:
            instead = "IGNORE" if entry.ended_at_seconds is None else "REPLACE"
            statement = f"INSERT OR {instead} INTO invocations VALUES (?, ?, ?)"  # noqa: S608 - of a word
            connection.execute(statement, entry)
        connection.execute(_NUMBERS, (next_number,))


def insertion(prepared: Sequence[Prepared], order: "Order") -> tuple[str, list[Any]]:
    """One statement: between two, the thread would wait for the event loop's to pause."""
    values: list[Any] = []
    for (record, *_), text, _ in prepared:
        values += (record.number, order.of(record), text)
    places = ",".join(["(?,?,?)"] * len(prepared))
    return f"INSERT OR REPLACE INTO invocations VALUES {places}", values  # noqa: S608 - of question marks


def insert_files(connection: sqlite3.Connection, prepared: Sequence[Prepared]) -> None:
    connection.executemany(
        "INSERT INTO invocation_files VALUES (?, ?, ?, ?, ?)",
        [
            (kept.record.number, json.dumps(place), file.digest, file.size_bytes, file.media_type)
            for kept, _, files in prepared
            for place, file in files.items()
        ],
    )


def delete_rows(connection: sqlite3.Connection, numbers: Sequence[int]) -> list[str]:
    """Returns the digests of their files. Few statements: after each the thread waits for its turn."""
    places = ",".join("?" * len(numbers))
    among = f"number IN ({places})"
    with transaction(connection):
        statement = f"SELECT digest FROM invocation_files WHERE {among}"  # noqa: S608 - of question marks
        digests = [digest for (digest,) in connection.execute(statement, numbers)]
        connection.execute(f"DELETE FROM invocations WHERE {among}", numbers)  # noqa: S608 - the same
        connection.execute(_NUMBERS, (max(numbers) + 1,))
    return digests


def read_next_number(connection: sqlite3.Connection) -> int:
    """Beyond all that were given out, kept or not: of the latter there are as many as can run."""
    least, greatest = connection.execute(
        "SELECT next, max((SELECT coalesce(max(number), -1) + 1 FROM invocations),"
        " (SELECT coalesce(max(first_invocation), 0) FROM deployments)) FROM numbers"
    ).fetchone()
    used = max(least, greatest)
    return used + RUNNING_LIMIT if used else 0

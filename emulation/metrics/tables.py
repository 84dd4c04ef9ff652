"""The tables of a metrics file, derived from the records."""

import sqlite3
from pathlib import Path

from emulation.errors import EmulationError
from emulation.metrics.records import RECORDS, Record, columns

VERSION = 2
_TYPES = {float: "REAL", int: "INTEGER"}


class UnknownMetricsFile(EmulationError):
    """A file is not one of metrics, or one of another version."""


def create(path: Path) -> sqlite3.Connection:
    """Open a metrics file, made when it does not exist; others may read it meanwhile (WAL)."""
    database = sqlite3.connect(path, check_same_thread=False)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=OFF")  # a run is repeated, not recovered
    for record in RECORDS:
        database.execute(_definition(record))
    database.execute(f"PRAGMA user_version={VERSION}")
    database.commit()
    return database


def require_version(database: sqlite3.Connection, schema: str, name: str) -> None:
    """Raises UnknownMetricsFile."""
    try:
        (version,) = database.execute(f"PRAGMA {schema}.user_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise UnknownMetricsFile(f"{name} is not a metrics file") from error
    if version != VERSION:
        raise UnknownMetricsFile(f"{name} has version {version}, not {VERSION}")


def insertion(record: type[Record]) -> str:
    """The statement that takes the values of a record in the order of its fields."""
    names = columns(record)
    marks = ", ".join("?" * len(names))
    return f"INSERT INTO {record.table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - our names


def _definition(record: type[Record]) -> str:
    members = (f"{name} {_TYPES.get(kind, 'TEXT')}" for name, kind in columns(record).items())
    return f"CREATE TABLE IF NOT EXISTS {record.table} ({', '.join(members)})"

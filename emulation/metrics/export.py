"""The tables of a run for other programs: CSV, Parquet, and the keys of WoTemu's Redis."""

import csv
import sqlite3
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Any

from emulation.errors import EmulationError
from emulation.metrics.records import RECORDS, columns


class Format(StrEnum):
    """What tables can be written as."""

    CSV = "csv"
    PARQUET = "parquet"


class MissingPackage(EmulationError):
    """Something needs a package that is not installed; says which."""


# With the time of the handler beside each call, and that of the emission beside each event.
_QUERIES = {
    "interaction": """
        SELECT i.*, e.seconds AS handler_seconds, e.replica AS producer FROM interaction i
        LEFT JOIN tied t ON t.consumed = i.rowid LEFT JOIN interaction e ON e.rowid = t.exposed
        ORDER BY i.at
    """,
    "event": """
        SELECT v.*, e.at AS emitted_at, v.at - e.at AS delivery_seconds FROM event v
        LEFT JOIN heard h ON h.event = v.rowid LEFT JOIN emission e ON e.rowid = h.emission
        ORDER BY v.at
    """,
}


def export(merged: Path, folder: Path, kind: Format) -> list[Path]:
    """Write a file for each table of a merged file; returns them. Raises MissingPackage."""
    folder.mkdir(parents=True, exist_ok=True)
    write = _write_csv if kind is Format.CSV else _write_parquet
    written = []
    with closing(sqlite3.connect(merged)) as database:
        for record in RECORDS:
            name = record.table
            rows = database.execute(_QUERIES.get(name, f"SELECT * FROM {name}"))  # noqa: S608 - our names
            path = folder / f"{name}.{kind}"
            write(path, [head[0] for head in rows.description], rows)
            written.append(path)
    return written


def _write_csv(path: Path, heads: list[str], rows: sqlite3.Cursor) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(heads)
        writer.writerows(rows)


def _write_parquet(path: Path, heads: list[str], rows: sqlite3.Cursor) -> None:
    try:
        # Here, since it is large, and few want it.
        import pyarrow  # noqa: PLC0415
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise MissingPackage("Parquet needs pyarrow: install wasm-servient[parquet]") from error
    kinds = {name: kind for record in RECORDS for name, kind in columns(record).items()}
    types = {float: pyarrow.float64(), int: pyarrow.int64()}
    schema = pyarrow.schema(
        [(head, types.get(_kind(head, kinds), pyarrow.string())) for head in heads]
    )
    values: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) or [()] * len(heads)
    table = pyarrow.table(dict(zip(heads, map(list, values), strict=True)), schema=schema)
    parquet.write_table(table, path, compression="zstd")


def _kind(head: str, kinds: dict[str, type]) -> type:
    return float if head.endswith(("seconds", "_at")) else kinds.get(head, str)

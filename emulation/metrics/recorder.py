"""Keeps records in a SQLite file, in batches, by a thread of its own."""

import logging
import sqlite3
import threading
import time
from collections import deque
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from emulation.metrics.records import LossRecord, Record, columns
from emulation.metrics.tables import create, insertion

logger = logging.getLogger(__name__)

WAITING_LIMIT_RECORDS = 200_000
FLUSH_SECONDS = 0.5
CLOSE_SECONDS = 30.0


class Recorder:
    """One file's writer. `record` returns at once, on any thread; what finds no room is counted.

    What was recorded is in the file after `FLUSH_SECONDS`, and all of it after `close`. Records that
    were lost are told by a `LossRecord`.
    """

    def __init__(
        self, path: Path, replica: str = "", *, limit_records: int = WAITING_LIMIT_RECORDS
    ) -> None:
        self.replica = replica or path.stem
        self._waiting: deque[Record] = deque()
        self._limit = limit_records
        self._lost = 0
        self._stopping = threading.Event()
        self._database = create(path)
        self._thread = threading.Thread(target=self._run, name=f"recorder {path}", daemon=True)
        self._thread.start()

    def record(self, record: Record) -> None:
        if len(self._waiting) >= self._limit or self._stopping.is_set():
            self._lost += 1
        else:
            self._waiting.append(record)

    def close(self) -> None:
        """Returns when all is written."""
        self._stopping.set()
        self._thread.join(CLOSE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # On the thread

    def _run(self) -> None:
        try:
            while not self._stopping.wait(FLUSH_SECONDS):
                self._flush()
            self._flush()
        finally:
            self._database.close()

    def _flush(self) -> None:
        batches: dict[type[Record], list[Any]] = {}
        count = len(self._waiting)
        for _ in range(count):
            record = self._waiting.popleft()
            batches.setdefault(type(record), []).append(record)
        if lost := self._lost:
            self._lost -= lost
            batches.setdefault(LossRecord, []).append(LossRecord(self.replica, time.time(), lost))
        if batches:
            self._write(batches)

    def _write(self, batches: dict[type[Record], list[Any]]) -> None:
        try:
            with self._database:
                for record, batch in batches.items():
                    values = attrgetter(*columns(record))
                    self._database.executemany(insertion(record), map(values, batch))
        except (
            sqlite3.Error
        ):  # a full disk: the run goes on, and the figures say that they lack some
            logger.exception("%s cannot keep its records", self._thread.name)
            self._lost += sum(map(len, batches.values()))

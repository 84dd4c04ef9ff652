"""Invocations on disk: many in one transaction, written while the next ones come in."""

import asyncio
import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeAlias

from servient.errors import ActionFailed, ServientError, StorageFailed
from servient.storage.collection import Collector
from servient.storage.database import Database
from servient.storage.documents import Place, parse_document, to_document, with_files
from servient.storage.files import FileStore
from servient.wot.content import Content
from servient.wot.invocations import RUNNING_LIMIT
from servient.wot.record import Kept, Record, Recorded, Status
from servient.wot.stored_file import StoredFile

# So that no client waits long for what others asked to be kept.
BATCH_LIMIT = 256
# Forgetting is not urgent, and costs less for many at once.
FORGET_LENGTH = 64

_Waiting: TypeAlias = tuple[Record, Recorded]


class InvocationStore:
    """A `Recorder`. What it calls kept survives the end of the process, however that comes."""

    def __init__(self, database: Database, files: FileStore, collector: Collector) -> None:
        self._database = database
        self._files = files
        self._collector = collector
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Future[list[Kept | ServientError]] | None = None
        self._is_due = False
        self._forgotten: list[int] = []

    async def restore(self) -> tuple[list[Kept], int]:
        """What was kept, oldest first, and the first number that was never given out.

        Invocations that had not ended have failed.
        """
        return await self._database.submit(self._restore)

    def record(self, record: Record, done: Recorded) -> None:
        self._waiting.append((record, done))
        if self._writing is None and not self._is_due:
            # Not at once: others that end in this turn of the loop go with it.
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._write_waiting)

    def forget(self, numbers: Iterable[int]) -> None:
        self._forgotten.extend(numbers)
        if len(self._forgotten) >= FORGET_LENGTH:
            self._forget_now()

    async def load(self, file: StoredFile) -> Content:
        body = await asyncio.to_thread(self._files.read, file.digest)
        return Content(body, file.media_type)

    async def flush(self) -> None:
        """Have everything written: nothing more comes."""
        while self._waiting or self._writing is not None:
            self._write_waiting()
            if self._writing is not None:
                await asyncio.wait((self._writing,))
        self._forget_now()

    def _write_waiting(self) -> None:
        self._is_due = False
        if self._writing is not None or not self._waiting:
            return
        batch, self._waiting = self._waiting[:BATCH_LIMIT], self._waiting[BATCH_LIMIT:]
        records = [record for record, _ in batch]
        self._writing = self._database.submit(lambda each: self._write(each, records))
        self._writing.add_done_callback(lambda writing: self._written(batch, writing))

    def _written(
        self, batch: Sequence[_Waiting], writing: "asyncio.Future[list[Kept | ServientError]]"
    ) -> None:
        self._writing = None
        error = writing.exception()
        if error is None:
            kept: Sequence[Kept | ServientError] = writing.result()
        else:
            reason = error if isinstance(error, ServientError) else StorageFailed(str(error))
            kept = [reason] * len(batch)
        self._write_waiting()
        for (_, done), each in zip(batch, kept, strict=True):
            done(each)

    def _forget_now(self) -> None:
        numbers, self._forgotten = self._forgotten, []
        if numbers:
            forgetting = self._database.submit(lambda each: _delete(each, numbers))
            forgetting.add_done_callback(self._collect)

    def _collect(self, forgetting: asyncio.Future[list[str]]) -> None:
        if forgetting.exception() is None:  # else they are forgotten at the next start
            self._collector.collect(forgetting.result())

    # On the database's thread

    def _write(
        self, connection: sqlite3.Connection, records: Sequence[Record]
    ) -> list[Kept | ServientError]:
        return [self._write_one(connection, record) for record in records]

    def _write_one(self, connection: sqlite3.Connection, record: Record) -> Kept | ServientError:
        text, files = to_document(record)
        try:
            stored = {place: self._put(file) for place, file in files.items()}
        except (StorageFailed, OSError) as error:
            return StorageFailed(f"a file cannot be kept: {error}")
        ended_at = record.ended_at.timestamp() if record.ended_at else None
        connection.execute(
            "INSERT OR REPLACE INTO invocations VALUES (?, ?, ?)", (record.number, ended_at, text)
        )
        if not stored:
            return Kept(record, len(text))
        connection.executemany(
            "INSERT INTO invocation_files VALUES (?, ?, ?, ?, ?)",
            [
                (record.number, json.dumps(place), file.digest, file.size_bytes, file.media_type)
                for place, file in stored.items()
            ],
        )
        sizes = {file.digest: file.size_bytes for file in stored.values()}
        return Kept(with_files(record, stored), len(text), sum(sizes.values()))

    def _put(self, file: Content | StoredFile) -> StoredFile:
        if isinstance(file, StoredFile):
            return file
        return StoredFile(self._files.put(file.body), len(file.body), file.media_type)

    def _restore(self, connection: sqlite3.Connection) -> tuple[list[Kept], int]:
        files: dict[int, dict[Place, StoredFile]] = {}
        for number, place, *file in connection.execute("SELECT * FROM invocation_files"):
            files.setdefault(number, {})[tuple(json.loads(place))] = StoredFile(*file)
        rows = connection.execute(
            "SELECT number, record FROM invocations ORDER BY ended_at IS NULL, ended_at, number"
        ).fetchall()
        kept: list[Kept] = []
        for number, text in rows:
            own = files.get(number, {})
            record = parse_document(number, text, own)
            sizes = {file.digest: file.size_bytes for file in own.values()}
            if record.ended_at is None:
                record = _interrupted(record)
                self._write_one(connection, record)
            kept.append(Kept(record, len(text), sum(sizes.values())))
        return kept, _next_number(connection)


def _delete(connection: sqlite3.Connection, numbers: Sequence[int]) -> list[str]:
    """Returns the digests of their files."""
    keys = [(number,) for number in numbers]
    digests = [
        digest
        for key in keys
        for (digest,) in connection.execute(
            "SELECT digest FROM invocation_files WHERE number = ?", key
        )
    ]
    connection.executemany("DELETE FROM invocations WHERE number = ?", keys)
    return digests


def _interrupted(record: Record) -> Record:
    error = ActionFailed(f"the servient stopped before action {record.action!r} ended")
    return replace(record, status=Status.FAILED, error=error, ended_at=datetime.now(UTC))


def _next_number(connection: sqlite3.Connection) -> int:
    """Beyond all that were given out, kept or not: of the latter there are as many as can run."""
    row = connection.execute(
        "SELECT seq FROM sqlite_sequence WHERE name = 'invocations'"
    ).fetchone()
    return int(row[0]) + 1 + RUNNING_LIMIT if row else 0

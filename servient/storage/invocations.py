"""Invocations on disk: many in one transaction, written while the next ones come in."""

import asyncio
import json
import logging
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from servient.errors import ActionFailed, ServientError, StorageFailed
from servient.storage.collection import Collector
from servient.storage.database import Database, Job, transaction
from servient.storage.documents import Place, parse_document, to_document, to_text, with_files
from servient.storage.files import FileStore
from servient.wot.content import Content
from servient.wot.invocations import RUNNING_LIMIT
from servient.wot.record import Kept, Record, Recorded, Status
from servient.wot.stored_file import StoredFile

logger = logging.getLogger(__name__)

# So that no client waits long for what others asked to be kept.
BATCH_LIMIT = 64
# Forgetting is not urgent, and costs less for many at once.
FORGET_LENGTH = 64


class Prepared(NamedTuple):
    """A record that can be written: its files are there already."""

    kept: Kept
    text: str
    files: Mapping[Place, StoredFile] = MappingProxyType({})


_Entry: TypeAlias = Prepared | Record


class InvocationStore:
    """A `Recorder`. What it calls kept survives the end of the process, however that comes."""

    def __init__(self, database: Database, files: FileStore, collector: Collector) -> None:
        self._database = database
        self._files = files
        self._collector = collector
        self._order = _Order()
        self._waiting: list[tuple[_Entry, Recorded]] = []
        self._writing: asyncio.Future[list[Kept | ServientError]] | None = None
        self._is_due = False
        self._forgotten: list[int] = []

    async def restore(self) -> tuple[list[Kept], int]:
        """What was kept, oldest first, and the first number that was never given out.

        Invocations that had not ended have failed.
        """
        return await self._database.submit(self._restore)

    def record(self, record: Record, done: Recorded) -> None:
        # What can be prepared is, here: threads that take turns cost more than the work.
        text = to_text(record)
        entry = record if text is None else Prepared(Kept(record, len(text)), text)
        self._waiting.append((entry, done))
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
        if (forgetting := self._forget_now()) is not None:
            await asyncio.wait((forgetting,))

    def _write_waiting(self) -> None:
        self._is_due = False
        if self._writing is not None or not self._waiting:
            return
        batch, self._waiting = self._waiting[:BATCH_LIMIT], self._waiting[BATCH_LIMIT:]
        entries = [entry for entry, _ in batch]
        prepared = [each for each in entries if isinstance(each, Prepared)]
        if len(prepared) == len(entries):
            written = self._database.try_now(insertion := _to_job(prepared, self._order))
            if written is not None:
                self._written(batch, written)
                return
            self._writing = self._database.submit(insertion)
        else:
            self._writing = self._database.submit(partial(self._write, entries=entries))
        self._writing.add_done_callback(lambda writing: self._written(batch, writing))

    def _written(
        self,
        batch: Sequence[tuple[_Entry, Recorded]],
        writing: "asyncio.Future[list[Kept | ServientError]]",
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

    def _forget_now(self) -> asyncio.Future[None] | None:
        numbers, self._forgotten = self._forgotten, []
        if not numbers:
            return None
        forgetting = self._database.submit(
            lambda each: self._collector.collect(each, _delete(each, numbers))
        )
        forgetting.add_done_callback(_forgive)
        return forgetting

    # On the database's thread

    def _write(
        self, connection: sqlite3.Connection, entries: Sequence[_Entry]
    ) -> list[Kept | ServientError]:
        prepared = [each if isinstance(each, Prepared) else self._prepare(each) for each in entries]
        # The last of each number: one may have been started and ended since the last batch.
        last = {each.kept.record.number: each for each in prepared if isinstance(each, Prepared)}
        if writable := list(last.values()):
            with transaction(connection):
                connection.execute(*_insertion(writable, self._order))
                _insert_files(connection, writable)
        return [each.kept if isinstance(each, Prepared) else each for each in prepared]

    def _prepare(self, record: Record) -> Prepared | ServientError:
        rest, text, files = to_document(record)
        try:
            stored = {place: self._put(file) for place, file in files.items()}
        except (StorageFailed, OSError) as error:
            return StorageFailed(f"a file cannot be kept: {error}")
        kept = Kept(with_files(rest, stored), len(text), _size(stored))
        return Prepared(kept, text, stored)

    def _put(self, file: Content | StoredFile) -> StoredFile:
        if isinstance(file, StoredFile):
            return file
        return StoredFile(self._files.put(file.body), len(file.body), file.media_type)

    def _restore(self, connection: sqlite3.Connection) -> tuple[list[Kept], int]:
        files: dict[int, dict[Place, StoredFile]] = {}
        for number, place, *file in connection.execute("SELECT * FROM invocation_files"):
            files.setdefault(number, {})[tuple(json.loads(place))] = StoredFile(*file)
        latest = connection.execute("SELECT max(ended_at) FROM invocations").fetchone()[0]
        self._order.after(latest or 0.0)
        rows = connection.execute(
            "SELECT number, record FROM invocations ORDER BY ended_at IS NULL, ended_at, number"
        ).fetchall()
        kept = [_parse(number, text, files.get(number, {})) for number, text in rows]
        over = [each for each in kept if each.record.ended_at is not None]
        interrupted = [_interrupted(each.record) for each in kept[len(over) :]]
        failed = [each for each in self._write(connection, interrupted) if isinstance(each, Kept)]
        return over + failed, _next_number(connection)


class _Order:
    """Times by which records are in the order in which they ended, also where the clock was put back."""

    def __init__(self) -> None:
        self._last = 0.0

    def after(self, seconds: float) -> float:
        self._last = max(seconds, self._last + 1e-6)
        return self._last


def _to_job(prepared: Sequence[Prepared], order: "_Order") -> Job[list[Kept | ServientError]]:
    """One statement, and nothing but it."""
    statement, values = _insertion(prepared, order)
    kept: list[Kept | ServientError] = [each.kept for each in prepared]

    def write(connection: sqlite3.Connection) -> list[Kept | ServientError]:
        connection.execute(statement, values)
        return kept

    return write


def _insertion(prepared: Sequence[Prepared], order: "_Order") -> tuple[str, list[Any]]:
    """One statement: between two, the thread would wait for the event loop's to pause."""
    values: list[Any] = []
    for (record, *_), text, _ in prepared:
        ended_at = order.after(record.ended_at.timestamp()) if record.ended_at else None
        values += (record.number, ended_at, text)
    places = ",".join(["(?,?,?)"] * len(prepared))
    return f"INSERT OR REPLACE INTO invocations VALUES {places}", values  # noqa: S608 - of question marks


def _insert_files(connection: sqlite3.Connection, prepared: Sequence[Prepared]) -> None:
    connection.executemany(
        "INSERT INTO invocation_files VALUES (?, ?, ?, ?, ?)",
        [
            (kept.record.number, json.dumps(place), file.digest, file.size_bytes, file.media_type)
            for kept, _, files in prepared
            for place, file in files.items()
        ],
    )


def _forgive(forgetting: asyncio.Future[None]) -> None:
    """What is not forgotten now is so at the next start."""
    if not forgetting.cancelled() and (error := forgetting.exception()) is not None:
        logger.info("old invocations are not removed: %s", error)


def _delete(connection: sqlite3.Connection, numbers: Sequence[int]) -> list[str]:
    """Returns the digests of their files."""
    keys = [(number,) for number in numbers]
    with transaction(connection):
        digests = [
            digest
            for key in keys
            for (digest,) in connection.execute(
                "SELECT digest FROM invocation_files WHERE number = ?", key
            )
        ]
        connection.executemany("DELETE FROM invocations WHERE number = ?", keys)
        connection.execute("UPDATE numbers SET next = max(next, ?)", (max(numbers) + 1,))
    return digests


def _parse(number: int, text: str, files: Mapping[Place, StoredFile]) -> Kept:
    return Kept(parse_document(number, text, files), len(text), _size(files))


def _size(files: Mapping[Place, StoredFile]) -> int:
    """A file that is in several places is kept once."""
    return sum({file.digest: file.size_bytes for file in files.values()}.values())


def _interrupted(record: Record) -> Record:
    error = ActionFailed(f"the servient stopped before action {record.action!r} ended")
    return replace(record, status=Status.FAILED, error=error, ended_at=datetime.now(UTC))


def _next_number(connection: sqlite3.Connection) -> int:
    """Beyond all that were given out, kept or not: of the latter there are as many as can run."""
    least, greatest = connection.execute(
        "SELECT next, (SELECT max(number) FROM invocations) FROM numbers"
    ).fetchone()
    used = max(least, -1 if greatest is None else greatest + 1)
    return used + RUNNING_LIMIT if used else 0

"""Invocations on disk: appended to a log as they end, and brought into the database behind it."""

import asyncio
import json
import logging
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from servient.errors import ActionFailed, ServientError, StorageFailed
from servient.storage.collection import Collector
from servient.storage.database import Database, transaction
from servient.storage.documents import Place, parse_document, to_document, to_text, with_files
from servient.storage.errors import Unusable
from servient.storage.files import FileStore
from servient.storage.invocation_rows import (
    Order,
    Prepared,
    delete_rows,
    insert_entries,
    insert_files,
    insertion,
    read_next_number,
)
from servient.storage.record_log import Entry, RecordLog
from servient.storage.record_log import Place as LogPlace
from servient.wot.content import Content
from servient.wot.record import Kept, Record, Recorded, Status
from servient.wot.stored_file import StoredFile

logger = logging.getLogger(__name__)

# So that no client waits long for what others asked to be kept.
BATCH_LIMIT = 64
# Forgetting is not urgent, and costs less for many at once.
FORGET_LENGTH = 64
# There are thousands at most after a start with lower bounds: a statement takes only so many values.
DELETE_LENGTH = 512
# Writing more than this would keep the event loop too long: the database's thread does it.
LOGGED_LIMIT_CHARS = 64 * 1024
# When what still matters of the log is brought into the database; and after how much more it is tried
# again where that was not possible.
LOG_LENGTH_BYTES = 4 * 2**20
RETRY_LENGTH_BYTES = 2**20


_Entry: TypeAlias = Prepared | Record


class InvocationStore:
    """A `Recorder`. What it calls kept survives the end of the process, however that comes.

    A record without files is a line of the log, and kept before `record` returns. One that has files
    goes straight into the database, as do those that were kept when the servient ended, or when the
    log has grown long: most are forgotten before.
    """

    def __init__(
        self, database: Database, files: FileStore, collector: Collector, log: RecordLog
    ) -> None:
        self._database = database
        self._files = files
        self._collector = collector
        self._log = log
        self._order = Order()
        self._waiting: list[tuple[_Entry, Recorded]] = []
        self._writing: asyncio.Future[list[Kept | ServientError]] | None = None
        self._is_due = False
        self._forgotten: list[int] = []
        # Those that have rows, or will have: others need not be deleted.
        self._in_database: set[int] = set()
        self._rolled: dict[int, LogPlace] = {}
        self._next_number = 0
        self._importing: asyncio.Future[None] | None = None
        self._import_at_bytes = LOG_LENGTH_BYTES

    async def recover(self) -> None:
        """Bring into the database what the log of an earlier process has. Raises Unusable."""
        try:
            await self._database.submit(self._recover, is_durable=True)
            self._log.open()
        except (StorageFailed, OSError) as error:
            raise Unusable(f"the log of invocations cannot be used: {error}") from error

    async def restore(self) -> tuple[list[Kept], int]:
        """What was kept, oldest first, and the first number that was never given out.

        Invocations that had not ended have failed.
        """
        kept, next_number = await self._database.submit(self._restore)
        self._in_database.update(each.record.number for each in kept)
        return kept, next_number

    def record(self, record: Record, done: Recorded) -> None:
        # What can be prepared is, here: threads that take turns cost more than the work.
        text = to_text(record)
        if text is None or len(text) > LOGGED_LIMIT_CHARS:
            entry = record if text is None else Prepared(Kept(record, len(text)), text)
            self._waiting.append((entry, done))
            self._in_database.add(record.number)
            if self._writing is None and not self._is_due:
                # Not at once: others that end in this turn of the loop go with it.
                self._is_due = True
                asyncio.get_running_loop().call_soon(self._write_waiting)
            return
        try:
            self._log.append(record.number, self._order.of(record), text)
        except OSError as error:
            done(StorageFailed(f"the servient's store cannot be written: {error}"))
            return
        self._next_number = max(self._next_number, record.number + 1)
        if self._log.size_bytes >= self._import_at_bytes:
            self._import_soon()
        done(Kept(record, len(text)))

    def forget(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._log.places.pop(number, None)
            self._rolled.pop(number, None)
            if number in self._in_database:
                self._in_database.remove(number)
                self._forgotten.append(number)
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
        for _ in range(2):  # of a file that is on its way already, and of the last one
            self._import_soon()
            if self._importing is not None:
                await asyncio.wait((self._importing,))
        if (forgetting := self._forget_now()) is not None:
            await asyncio.wait((forgetting,))
        self._log.close()

    # From the log into the database

    def _import_soon(self) -> None:
        """Have what still matters of the log brought into the database, and begin it anew."""
        if self._importing is not None or self._log.is_empty:
            return
        if not self._log.has_earlier:
            try:
                self._rolled = self._log.roll()
            except OSError as error:
                self._import_later(error)
                return
            self._in_database.update(self._rolled)
        job = partial(self._import, places=dict(self._rolled), next_number=self._next_number)
        self._importing = self._database.submit(job, is_durable=True)
        self._importing.add_done_callback(self._imported)

    def _imported(self, importing: asyncio.Future[None]) -> None:
        self._importing = None
        try:
            importing.result()
            self._log.drop_earlier()
        except (ServientError, OSError) as error:
            self._import_later(error)
        else:
            self._import_at_bytes = LOG_LENGTH_BYTES

    def _import_later(self, error: Exception) -> None:
        """It stays where it is meanwhile."""
        logger.warning("invocations are not brought into the database: %s", error)
        self._import_at_bytes = self._log.size_bytes + RETRY_LENGTH_BYTES

    # Into the database at once

    def _write_waiting(self) -> None:
        self._is_due = False
        if self._writing is not None or not self._waiting:
            return
        batch, self._waiting = self._waiting[:BATCH_LIMIT], self._waiting[BATCH_LIMIT:]
        entries = [entry for entry, _ in batch]
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
        forgetting = self._database.submit(partial(self._delete, numbers=numbers))
        forgetting.add_done_callback(_forgive)
        return forgetting

    # On the database's thread

    def _recover(self, connection: sqlite3.Connection) -> None:
        """Raises OSError."""
        entries, damaged = self._log.entries()
        whole = [each for each in entries if _is_record(each)]
        damaged += len(entries) - len(whole)
        if damaged:
            logger.error("%d lines of the log of invocations are damaged, and left out", damaged)
        insert_entries(connection, whole)

    def _import(
        self, connection: sqlite3.Connection, places: Mapping[int, LogPlace], next_number: int
    ) -> None:
        """Raises OSError."""
        insert_entries(connection, self._log.read_earlier(places), next_number)

    def _write(
        self, connection: sqlite3.Connection, entries: Sequence[_Entry]
    ) -> list[Kept | ServientError]:
        prepared = [each if isinstance(each, Prepared) else self._prepare(each) for each in entries]
        # The last of each number: one may have been started and ended since the last batch.
        last = {each.kept.record.number: each for each in prepared if isinstance(each, Prepared)}
        if writable := list(last.values()):
            with transaction(connection):
                connection.execute(*insertion(writable, self._order))
                insert_files(connection, writable)
        return [each.kept if isinstance(each, Prepared) else each for each in prepared]

    def _delete(self, connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
        for start in range(0, len(numbers), DELETE_LENGTH):
            digests = delete_rows(connection, numbers[start : start + DELETE_LENGTH])
            self._collector.collect(connection, digests)

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
        over = [each for each in kept if each.record.ended_at_seconds is not None]
        interrupted = [_interrupted(each.record) for each in kept[len(over) :]]
        failed = [each for each in self._write(connection, interrupted) if isinstance(each, Kept)]
        return over + failed, read_next_number(connection)


def _is_record(entry: Entry) -> bool:
    try:
        parse_document(entry.number, entry.text, {})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False
    return True


def _forgive(forgetting: asyncio.Future[None]) -> None:
    """What is not forgotten now is so at the next start."""
    if not forgetting.cancelled() and (error := forgetting.exception()) is not None:
        logger.info("old invocations are not removed: %s", error)


def _parse(number: int, text: str, files: Mapping[Place, StoredFile]) -> Kept:
    return Kept(parse_document(number, text, files), len(text), _size(files))


def _size(files: Mapping[Place, StoredFile]) -> int:
    """A file that is in several places is kept once."""
    return sum({file.digest: file.size_bytes for file in files.values()}.values())


def _interrupted(record: Record) -> Record:
    error = ActionFailed(f"the servient stopped before action {record.action!r} ended")
    return record._replace(status=Status.FAILED, error=error, ended_at_seconds=time.time())

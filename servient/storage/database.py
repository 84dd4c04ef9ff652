"""One SQLite database, used by one thread of its own: jobs, one after the other."""

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

from servient.errors import ServientError, StorageFailed
from servient.storage.errors import Damaged, Unusable
from servient.storage.schema import migrate

logger = logging.getLogger(__name__)

_T = TypeVar("_T")
Job: TypeAlias = Callable[[sqlite3.Connection], _T]
_Entry: TypeAlias = "tuple[Job[Any], bool, asyncio.Future[Any]] | None"

_PRAGMAS = (
    # Nobody else uses the file, so that two servients never share a folder.
    "locking_mode = EXCLUSIVE",
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "foreign_keys = ON",
    "journal_size_limit = 16777216",
    # When it waits for the disk, which nothing on the event loop may: see `_account_for`.
    "wal_autocheckpoint = 0",
)
# After so many jobs it is looked whether the log has grown to so much.
LOOK_JOBS = 64
LOG_LIMIT_BYTES = 4 * 2**20


class Database:
    """To be used as an async context manager; entering raises Unusable.

    What a job has written survives the end of the process, however that comes; of one that
    `is_durable`, the end of the machine's power too.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log_path = path.with_name(f"{path.name}-wal")
        self._entries: queue.SimpleQueue[_Entry] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="storage", daemon=True)
        self._is_open = False
        self._jobs_done = 0

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._connection = await asyncio.to_thread(_open, self._path)
        self._thread.start()
        self._is_open = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Jobs that were submitted are done first."""
        self._is_open = False
        self._entries.put(None)
        await asyncio.to_thread(self._thread.join)

    def submit(self, job: Job[_T], *, is_durable: bool = False) -> asyncio.Future[_T]:
        """Have a job done, which writes with one statement or in a `transaction`; what it returns.

        The future raises StorageFailed, and what the job raises. A job is done although its future is
        cancelled.
        """
        future: asyncio.Future[_T] = self._loop.create_future()
        if self._is_open:
            self._entries.put((job, is_durable, future))
        else:
            future.set_exception(StorageFailed("the servient has stopped"))
        return future

    def _account_for(self, jobs: int) -> None:
        """Bring what was written into the database now and then, on the thread."""
        self._jobs_done += jobs
        if self._jobs_done < LOOK_JOBS or not self._is_open:
            return
        self._jobs_done = 0
        with contextlib.suppress(OSError):
            if self._log_path.stat().st_size > LOG_LIMIT_BYTES:
                self.submit(_checkpoint).add_done_callback(_look_at)

    def _settle(self, future: asyncio.Future[Any], result: Any) -> None:
        _succeed(future, result)
        self._account_for(1)

    # On the thread

    def _work(self) -> None:
        while (entry := self._entries.get()) is not None:
            job, is_durable, future = entry
            try:
                result = self._do(job, is_durable)
            except Exception as error:  # noqa: BLE001 - whoever waits for the job is told
                failure = _to_failure(error)
                self._loop.call_soon_threadsafe(_fail, future, failure)
            else:
                self._loop.call_soon_threadsafe(self._settle, future, result)
            del entry, job, future
        self._connection.close()

    def _do(self, job: Job[_T], is_durable: bool) -> _T:
        connection = self._connection
        if is_durable:
            connection.execute("PRAGMA synchronous = FULL")
        try:
            return job(connection)
        finally:
            if is_durable:
                connection.execute("PRAGMA synchronous = NORMAL")


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """For jobs of more than one statement: all of them or none."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has ended it already
            connection.execute("ROLLBACK")
        raise


def _open(path: Path) -> sqlite3.Connection:
    """Raises Unusable."""
    connection: sqlite3.Connection | None = None
    try:
        path.touch(mode=0o600)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        _check(connection, path)
        migrate(connection, path)
    except Unusable:
        assert connection is not None  # noqa: S101 - it is what is unusable
        connection.close()
        raise
    except (sqlite3.Error, OSError) as error:
        if connection is not None:
            connection.close()
        raise _to_unusable(error, path) from error
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if said != "ok":
        raise Damaged(f"{path} is damaged ({said}); move it away to start without what it holds")


def _to_unusable(error: Exception, path: Path) -> Unusable:
    match getattr(error, "sqlite_errorcode", None):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Unusable(f"{path} is in use by another servient")
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return Damaged(
                f"{path} is damaged ({error}); move it away to start without what it holds"
            )
        case _:
            return Unusable(f"{path} cannot be used: {error}")


def _to_failure(error: Exception) -> Exception:
    if isinstance(error, sqlite3.Error | OSError):
        failure = StorageFailed(f"the servient's store cannot be written: {error}")
        failure.__cause__ = error
        return failure
    if not isinstance(error, ServientError):
        logger.error("a job of the store failed", exc_info=error)
    return error


def _checkpoint(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA wal_checkpoint(RESTART)")


def _look_at(checkpoint: asyncio.Future[None]) -> None:
    """One that fails now is done later, at the latest when the database is closed."""
    if not checkpoint.cancelled() and (error := checkpoint.exception()) is not None:
        logger.warning("the store's log is not brought into the database: %s", error)


def _succeed(future: asyncio.Future[Any], result: Any) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)

"""A good copy of the database beside it, and the way back when the database is damaged."""

import asyncio
import contextlib
import logging
import os
import shutil
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Self

from servient.background import Background
from servient.errors import StorageFailed
from servient.storage.database import Database
from servient.storage.errors import Damaged, Unusable

logger = logging.getLogger(__name__)

# A change of deployments is copied soon; of invocations, many hours' worth is a matter of history.
INTERVAL_SECONDS = 3600.0
DELAY_SECONDS = 1.0
_PARTS = ("", "-wal", "-shm")
# Of invocations after the copy nothing is known: their numbers are not given again.
_SKIPPED_NUMBERS = 1_000_000


class Backups(Background):
    """Copies a database that is open, for as long as the block lasts; it is good, or it would not be."""

    task_name = "backup"

    def __init__(self, database: Database, path: Path) -> None:
        self._database = database
        self._copy = copy_path(path)
        self._wanted = asyncio.Event()

    def soon(self) -> None:
        """What has changed would be missed."""
        self._wanted.set()

    async def __aenter__(self) -> Self:
        if not self._copy.exists():
            await self._make()
        return await super().__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await super().__aexit__(kind, error, trace)
        if self._wanted.is_set():
            await self._make()

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL_SECONDS):
                    await self._wanted.wait()
            await asyncio.sleep(DELAY_SECONDS)
            await self._make()

    async def _make(self) -> None:
        self._wanted.clear()
        try:
            await self._database.submit(self._write)
        except StorageFailed as error:
            logger.warning("there is no new copy of the database: %s", error)

    def _write(self, connection: sqlite3.Connection) -> None:
        """All of it or nothing: the earlier copy is there until this one is."""
        new = self._copy.with_name(f"{self._copy.name}.new")
        new.unlink(missing_ok=True)
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with contextlib.closing(sqlite3.connect(new)) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file is all of it
        _sync(new)
        new.replace(self._copy)


def copy_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.backup")


async def open_database(path: Path) -> Database:
    """The database, entered; where it is damaged, or gone, what its last copy holds.

    Raises Unusable, also when it is damaged and there is no good copy: never is it silently empty.
    """
    copy = copy_path(path)
    if await asyncio.to_thread(_is_lost, path, copy):
        return await _restored(path, copy, "it is gone or empty")
    try:
        return await Database(path).__aenter__()
    except Damaged as damage:
        if not copy.exists():
            raise
        return await _restored(path, copy, str(damage))


async def _restored(path: Path, copy: Path, reason: str) -> Database:
    def put_back() -> None:
        for part in _PARTS:
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + part).replace(
                    path.with_name(f"{path.name}.damaged{part}")
                )
        shutil.copyfile(copy, path)
        path.chmod(0o600)
        _sync(path)

    try:
        await asyncio.to_thread(put_back)
        database = await Database(path).__aenter__()
        await database.submit(_skip_numbers, is_durable=True)
    except Damaged as damage:
        raise Unusable(f"{damage}; so is its copy {copy}") from damage
    except OSError as error:
        raise Unusable(f"{path} cannot be restored from {copy}: {error}") from error
    logger.error(
        "%s: %s. The servient goes on with its copy %s; what came after it is lost, and what is left"
        " of the database is kept as %s.damaged", path, reason, copy, path
    )  # fmt: skip
    return database


def _is_lost(path: Path, copy: Path) -> bool:
    return copy.exists() and (not path.exists() or path.stat().st_size == 0)


def _skip_numbers(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE numbers SET next = next + ?", (_SKIPPED_NUMBERS,))


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())

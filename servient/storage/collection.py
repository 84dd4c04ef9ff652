"""Removes files that no row refers to any more."""

import asyncio
import logging
import sqlite3
from collections.abc import Iterable
from functools import partial

from servient.storage.database import Database
from servient.storage.files import FileStore

logger = logging.getLogger(__name__)

_IS_USED = "SELECT EXISTS (SELECT 1 FROM used_files WHERE digest = ?)"


class Collector:
    """Files are put by the job that adds the row which refers to them, and collected by another."""

    def __init__(self, database: Database, files: FileStore) -> None:
        self._database = database
        self._files = files

    def collect_soon(self, digests: Iterable[str]) -> None:
        """Have those of the files removed that are not in use."""
        released = frozenset(digests)
        if released:
            job = partial(self.collect, digests=released)
            self._database.submit(job).add_done_callback(_forgive)

    def collect(self, connection: sqlite3.Connection, digests: Iterable[str]) -> None:
        """On the thread of the database."""
        for digest in digests:
            if not connection.execute(_IS_USED, (digest,)).fetchone()[0]:
                self._files.remove(digest)


def _forgive(collecting: asyncio.Future[None]) -> None:
    """What is left is swept at the next start."""
    if not collecting.cancelled() and (error := collecting.exception()) is not None:
        logger.info("files that are not used any more are left: %s", error)

"""Removes files that no row refers to any more."""

import sqlite3
from collections.abc import Iterable

from servient.storage.database import Database
from servient.storage.files import FileStore

_IS_USED = "SELECT EXISTS (SELECT 1 FROM used_files WHERE digest = ?)"


class Collector:
    """Files are put by the job that adds the row which refers to them, and collected by another."""

    def __init__(self, database: Database, files: FileStore) -> None:
        self._database = database
        self._files = files

    def collect(self, digests: Iterable[str]) -> None:
        """Have those of the files removed, soon, that are not in use."""
        released = frozenset(digests)

        def job(connection: sqlite3.Connection) -> None:
            for digest in released:
                if not connection.execute(_IS_USED, (digest,)).fetchone()[0]:
                    self._files.remove(digest)

        if released:
            self._database.submit(job).add_done_callback(_note)


def _note(collecting: object) -> None:
    """A failure is no loss: what is left is swept at the next start."""

"""The store of a servient: opened once, closed last."""

import contextlib
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Self

from servient.storage.backup import Backups, open_database
from servient.storage.collection import Collector
from servient.storage.deployments import DeploymentStore
from servient.storage.files import SIZE_LIMIT_BYTES, FileStore
from servient.storage.invocations import InvocationStore
from servient.storage.record_log import RecordLog

DATABASE_NAME = "servient.sqlite"
LOG_NAME = "invocations.log"
FILES_NAME = "files"


class Store:
    """To be used as an async context manager; entering raises Unusable, an OSError.

    `folder` exists, and is this servient's alone.
    """

    deployments: DeploymentStore
    invocations: InvocationStore

    def __init__(self, folder: Path, files_limit_bytes: int = SIZE_LIMIT_BYTES) -> None:
        self._path = folder / DATABASE_NAME
        self._files = FileStore(folder / FILES_NAME, files_limit_bytes)
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            database = await open_database(self._path)
            stack.push_async_exit(database)
            await database.submit(lambda each: self._files.open(_used(each)))
            collector = Collector(database, self._files)
            backups = await stack.enter_async_context(Backups(database, self._path))
            self.deployments = DeploymentStore(database, self._files, collector, backups.soon)
            log = RecordLog(self._path.with_name(LOG_NAME))
            self.invocations = InvocationStore(database, self._files, collector, log)
            await self.invocations.recover()
            stack.push_async_callback(self.invocations.flush)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()


def _used(connection: sqlite3.Connection) -> frozenset[str]:
    return frozenset(digest for (digest,) in connection.execute("SELECT digest FROM used_files"))

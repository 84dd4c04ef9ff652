"""Deployments on disk: their manifests, and the files that were fetched for them."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from servient.storage.collection import Collector
from servient.storage.database import Database, transaction
from servient.storage.files import FileStore


@dataclass(frozen=True, slots=True)
class StoredDeployment:
    """A manifest as it was sent, and the digests of the files that it names, by URL.

    `first_invocation` is the number of the first invocation that can be one of this deployment.
    """

    id: str
    manifest: Any
    digests: Mapping[str, str]
    first_invocation: int


class DeploymentStore:
    """What is saved here survives the end of the process, and of the power. Raises StorageFailed."""

    def __init__(
        self,
        database: Database,
        files: FileStore,
        collector: Collector,
        changed: Callable[[], None],
    ) -> None:
        """`changed` is called when there is something that a copy of the database would miss."""
        self._database = database
        self._changed = changed
        self._files = files
        self._collector = collector

    async def save(
        self,
        deployment_id: str,
        manifest: Any,
        contents: Mapping[str, bytes],
        first_invocation: int,
    ) -> StoredDeployment | None:
        """Keep a deployment; `contents` are files by URL.

        Returns the one of its id that was replaced; its files stay until it is released.
        """
        put: dict[str, str] = {}

        def job(connection: sqlite3.Connection) -> StoredDeployment | None:
            for url, body in contents.items():
                put[url] = self._files.put(body, is_durable=True)
            stored = StoredDeployment(deployment_id, manifest, put, first_invocation)
            return _replace(connection, deployment_id, stored)

        self._changed()
        try:
            return await self._database.submit(job, is_durable=True)
        except Exception:
            self._collector.collect_soon(put.values())
            raise

    async def put_back(self, deployment_id: str, earlier: StoredDeployment | None) -> None:
        """Undo a `save`, which returned `earlier`."""
        self._changed()
        undone = await self._database.submit(
            lambda connection: _replace(connection, deployment_id, earlier), is_durable=True
        )
        self.release(undone)

    def release(self, replaced: StoredDeployment | None) -> None:
        """The files of a deployment that was replaced are not wanted any more."""
        if replaced is not None:
            self._collector.collect_soon(replaced.digests.values())

    async def delete(self, deployment_id: str) -> None:
        await self.put_back(deployment_id, None)

    async def all(self) -> list[StoredDeployment]:
        """In the order in which they were deployed."""
        return await self._database.submit(_read)

    async def contents(self, stored: StoredDeployment) -> Mapping[str, bytes]:
        """The files by URL. Raises StorageFailed when one is gone or damaged."""

        def read() -> Mapping[str, bytes]:
            return {url: self._files.read(digest) for url, digest in stored.digests.items()}

        return await asyncio.to_thread(read)


def _replace(
    connection: sqlite3.Connection, deployment_id: str, stored: StoredDeployment | None
) -> StoredDeployment | None:
    """Have one stored, or none, instead of what is stored under this id, which is returned."""
    with transaction(connection):
        earlier = next(iter(_read(connection, deployment_id)), None)
        connection.execute("DELETE FROM deployments WHERE id = ?", (deployment_id,))
        if stored is not None:
            row = (stored.id, json.dumps(stored.manifest), stored.first_invocation)
            connection.execute("INSERT INTO deployments VALUES (?, ?, ?)", row)
            connection.executemany(
                "INSERT INTO deployment_files VALUES (?, ?, ?)",
                [(stored.id, url, digest) for url, digest in stored.digests.items()],
            )
    return earlier


def _read(
    connection: sqlite3.Connection, deployment_id: str | None = None
) -> list[StoredDeployment]:
    """One deployment, or all."""
    rows = connection.execute(
        "SELECT id, manifest, first_invocation FROM deployments WHERE ?1 IS NULL OR id = ?1"
        " ORDER BY rowid",
        (deployment_id,),
    )
    return [
        StoredDeployment(name, json.loads(manifest), _digests(connection, name), first)
        for name, manifest, first in rows.fetchall()
    ]


def _digests(connection: sqlite3.Connection, deployment_id: str) -> dict[str, str]:
    files = "SELECT url, digest FROM deployment_files WHERE deployment = ?"
    return dict(connection.execute(files, (deployment_id,)).fetchall())

"""A history on a thread of its own, so that no program waits for a disk or a database."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar

from emulation.node.history import History, SqliteHistory
from emulation.node.mongo_history import NoMongo, connect

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Archive:
    """Made by `open`."""

    def __init__(self, thread: ThreadPoolExecutor, history: History) -> None:
        self._thread = thread
        self._history = history

    @classmethod
    async def open(cls, file: Path, mongo_uri: str = "") -> Self:
        """Of the MongoDB at a URI where there is one; else, and without a URI, of a SQLite file."""
        thread = ThreadPoolExecutor(1, "history")
        loop = asyncio.get_running_loop()
        if mongo_uri:
            try:
                return cls(thread, await loop.run_in_executor(thread, connect, mongo_uri))
            except NoMongo as error:
                logger.warning("values are kept in SQLite: %s", error)
        return cls(thread, await loop.run_in_executor(thread, SqliteHistory, file))

    async def write(self, entry: dict[str, Any]) -> None:
        await self._do(self._history.write, entry)

    async def keys(self) -> list[dict[str, Any]]:
        return await self._do(self._history.keys)

    async def get(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        return await self._do(self._history.get, wanted)

    async def _do(self, work: Callable[..., T], *arguments: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, work, *arguments)

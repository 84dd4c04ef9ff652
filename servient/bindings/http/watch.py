"""Notices that a client has gone while its answer is being made."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Self


class ClientGone(Exception):
    """The client has closed its connection; nobody waits for an answer."""


class Watch:
    """Calls `leave` once when `gone` returns while the block runs; `has_left` says that it was."""

    __slots__ = ("_after_seconds", "_gone", "_leave", "_task", "_timer", "has_left")

    def __init__(
        self,
        gone: Callable[[], Coroutine[Any, Any, None]],
        leave: Callable[[], object],
        after_seconds: float,
    ) -> None:
        self._gone = gone
        self._leave = leave
        self._after_seconds = after_seconds
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self.has_left = False

    def __enter__(self) -> Self:
        if self._after_seconds:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._after_seconds, self._begin)
        else:
            self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _begin(self) -> None:
        self._task = asyncio.create_task(self._run(), name="watch for a client that leaves")

    async def _run(self) -> None:
        await self._gone()
        self.has_left = True
        self._leave()

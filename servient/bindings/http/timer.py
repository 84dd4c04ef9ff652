"""A call after a pause, unless it is stopped or started anew before."""

import asyncio
from collections.abc import Callable


class Timer:
    """Started and stopped many times a second: the event loop hears of it now and then only."""

    __slots__ = ("_at", "_call", "_due", "_handle", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._handle: asyncio.TimerHandle | None = None
        # When the event loop comes back to it, and when the call is due, if it is.
        self._at = 0.0
        self._due: float | None = None
        self._call: Callable[[], None] = lambda: None

    def start(self, seconds: float, call: Callable[[], None]) -> None:
        self._call = call
        self._due = due = self._loop.time() + seconds
        if self._handle is None or self._at > due:
            self._wait(due)

    def stop(self) -> None:
        self._due = None

    def close(self) -> None:
        """Never again."""
        self._due = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _wait(self, due: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._at = due
        self._handle = self._loop.call_at(due, self._look)

    def _look(self) -> None:
        self._handle = None
        if self._due is None:
            return
        if self._due > self._at:  # it was started anew meanwhile
            self._wait(self._due)
        else:
            self._due = None
            self._call()

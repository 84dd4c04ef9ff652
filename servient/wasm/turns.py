"""Callers that wait until an instance is idle, in their order."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator

from servient.errors import Busy


class Turns:
    """Fair: who comes while others wait, waits behind them. Belongs to the event loop.

    `is_idle` says whether nobody uses the instance otherwise; whoever makes it idle calls `advance`.
    """

    def __init__(self, is_idle: Callable[[], bool], limit: int) -> None:
        self._is_idle = is_idle
        self._limit = limit
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_taken = False

    @property
    def is_free(self) -> bool:
        """Whether a caller need not wait."""
        return not self._waiting and not self._is_taken and self._is_idle()

    @property
    def waiting(self) -> int:
        """How many callers wait for their turn."""
        return len(self._waiting)

    @property
    def has_waiting(self) -> bool:
        return bool(self._waiting) or self._is_taken

    async def wait(self) -> None:
        """Until the instance is idle and all who came before have had their turn. Raises Busy."""
        if self.is_free:
            self._is_taken = True
            return
        if len(self._waiting) >= self._limit:
            raise Busy(f"{self._limit} calls are waiting already")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            with contextlib.suppress(ValueError):
                self._waiting.remove(turn)
            if turn.done() and not turn.cancelled():  # it was given and is not wanted any more
                self.leave()
            raise

    def leave(self) -> None:
        """The turn is over: the next begins, if the instance is idle."""
        self._is_taken = False
        self.advance()

    def advance(self) -> None:
        while self._waiting and not self._is_taken and self._is_idle():
            turn = self._waiting.popleft()
            if not turn.done():
                self._is_taken = True
                turn.set_result(None)

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Around what is done in a turn."""
        try:
            yield
        finally:
            self.leave()

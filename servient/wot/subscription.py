"""What subscribers receive, and the bounded queue between a Thing and one of them."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from servient.wot.content import Content, Value, encode
from servient.wot.operations import AffordanceKind

QUEUE_LIMIT = 64


# Not frozen: to make one would take three times as long, and each change of a Thing makes one.
@dataclass(slots=True)
class Notification:
    """A property's new value or an event's data. `id` grows by one with each in a servient."""

    thing: str
    kind: AffordanceKind
    name: str
    value: Value
    id: int
    at_seconds: float
    _content: Content | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def time(self) -> datetime:
        return datetime.fromtimestamp(self.at_seconds, UTC)

    @property
    def content(self) -> Content:
        """The value in bytes, encoded once for all subscribers."""
        if self._content is None:
            self._content = encode(self.value)
        return self._content


Listener = Callable[[Notification], None]


class Subscription:
    """An asynchronous iterator of notifications that ends with its Thing.

    A subscriber that does not keep up loses its oldest notifications, and only its own:
    `dropped` counts them. Leaving the `async with` block unsubscribes.
    `protocol` is the wire that they go out on; "" where that is none.
    """

    def __init__(self, limit: int = QUEUE_LIMIT, protocol: str = "") -> None:
        self.protocol = protocol
        self._queue: deque[Notification] = deque(maxlen=limit)
        self._wake = asyncio.Event()
        self._undo: Callable[[], None] = lambda: None
        self._end: asyncio.TimerHandle | None = None
        self.is_ended = False
        self.dropped = 0

    def on_close(self, undo: Callable[[], None]) -> None:
        """Have `undo` called when the subscriber leaves."""
        self._undo = undo

    def end_after(self, seconds: float) -> None:
        """Have it end by itself: what allows it does not last."""
        self._end = asyncio.get_running_loop().call_later(max(0.0, seconds), self.end)

    def push(self, notification: Notification) -> None:
        """Raises ServientError for a value that no wire can carry: nobody waits for that.

        It is encoded now, for all: the program may change the value before it is looked at.
        """
        _ = notification.content
        if self.is_ended:
            return
        if len(self._queue) == self._queue.maxlen:
            self.dropped += 1
        self._queue.append(notification)
        self._wake.set()

    def pending(self) -> tuple[Notification, ...]:
        """What is queued; it stays so."""
        return tuple(self._queue)

    def end(self) -> None:
        """No more will come; what is queued is still delivered."""
        self.is_ended = True
        self._wake.set()

    def close(self) -> None:
        self._undo()
        if self._end is not None:
            self._end.cancel()
        self._queue.clear()
        self.end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Notification:
        while not self._queue:
            if self.is_ended:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        return self._queue.popleft()

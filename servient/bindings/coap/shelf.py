"""Values that are kept for a while, and no more of them than there is room for."""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Item(NamedTuple, Generic[V]):
    value: V
    size_bytes: int
    expires_at: float


class Shelf(Generic[K, V]):
    """A mapping that forgets: what was put longest ago, when over its limit or `keep_seconds` old."""

    def __init__(self, limit_bytes: int, keep_seconds: float) -> None:
        self._limit_bytes = limit_bytes
        self._keep_seconds = keep_seconds
        self._items: OrderedDict[K, _Item[V]] = OrderedDict()  # what expires first comes first
        self._used_bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: K) -> V | None:
        item = self._items.get(key)
        return item.value if item else None

    def put(self, key: K, value: V, size_bytes: int) -> None:
        """Keep a value, newly or for longer; others may have to go for it."""
        self.drop(key)
        loop = asyncio.get_running_loop()
        self._items[key] = _Item(value, size_bytes, loop.time() + self._keep_seconds)
        self._used_bytes += size_bytes
        while self._used_bytes > self._limit_bytes and len(self._items) > 1:
            self.drop(next(iter(self._items)))
        if self._timer is None:
            self._timer = loop.call_later(self._keep_seconds, self._expire)

    def drop(self, key: K) -> None:
        item = self._items.pop(key, None)
        if item is not None:
            self._used_bytes -= item.size_bytes

    def clear(self) -> None:
        self._items.clear()
        self._used_bytes = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        loop = asyncio.get_running_loop()
        while self._items:
            first = next(iter(self._items))
            expires_at = self._items[first].expires_at
            if expires_at > loop.time():
                self._timer = loop.call_at(expires_at, self._expire)
                return
            self.drop(first)
        self._timer = None

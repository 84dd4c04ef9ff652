"""What came lately and what was answered, so that nothing is done twice (RFC 7252 section 4.5)."""

from collections import OrderedDict
from collections.abc import Hashable

# About what a remembered message takes beside its answer's bytes.
ENTRY_BYTES = 500


class Remembered:
    """A request, by its token, and its answer as it went out, b"" before."""

    __slots__ = ("answer", "expires_at", "token")

    def __init__(self, token: bytes, expires_at: float) -> None:
        self.token = token
        self.expires_at = expires_at
        self.answer = b""


class Memory:
    """Messages by who sent them and their Message ID: those of the last `keep_seconds`, within bounds."""

    def __init__(self, limit_bytes: int, keep_seconds: float) -> None:
        self._limit_bytes = limit_bytes
        self._keep_seconds = keep_seconds
        self._items: OrderedDict[Hashable, Remembered] = (
            OrderedDict()
        )  # what expires first is first
        self._used_bytes = 0

    def __len__(self) -> int:
        return len(self._items)

    def recall(self, key: Hashable, token: bytes, now: float) -> Remembered | None:
        """A Message ID that comes round again has another token."""
        found = self._items.get(key)
        is_same = found is not None and found.token == token and found.expires_at > now
        return found if is_same else None

    def put(self, key: Hashable, token: bytes, now: float) -> Remembered:
        self.drop(key)
        made = self._items[key] = Remembered(token, now + self._keep_seconds)
        self._used_bytes += ENTRY_BYTES
        while self._items:
            oldest = next(iter(self._items))
            if self._used_bytes <= self._limit_bytes and self._items[oldest].expires_at > now:
                break
            self.drop(oldest)
        return made

    def answer(self, key: Hashable, remembered: Remembered, data: bytes) -> None:
        if self._items.get(key) is remembered:
            self._used_bytes += len(data) - len(remembered.answer)
            remembered.answer = data

    def clear(self) -> None:
        self._items.clear()
        self._used_bytes = 0

    def drop(self, key: Hashable) -> None:
        item = self._items.pop(key, None)
        if item is not None:
            self._used_bytes -= ENTRY_BYTES + len(item.answer)

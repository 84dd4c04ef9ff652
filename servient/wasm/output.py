"""What a guest writes to stdout or stderr: kept in memory, and only so much of it."""

import os


class Output:
    """A file in memory that the guest writes to; what exceeds the limit is thrown away.

    A file, since callbacks for output run on threads of the engine's own, which Python cannot end.
    """

    def __init__(self, name: str, limit_bytes: int) -> None:
        self._fd = os.memfd_create(f"wasm-{name}")
        self._limit_bytes = limit_bytes
        self._begin = 0
        self._head: bytes | None = None

    @property
    def path(self) -> str:
        return f"/proc/self/fd/{self._fd}"

    def begin(self) -> None:
        """A call starts: what was written before belongs to others."""
        self._head = None
        self._begin = max(self._begin, self._size())

    def trim(self) -> None:
        """Free what exceeds the limit; to be called from time to time while the guest runs."""
        if self._size() - self._begin > self._limit_bytes:
            self._head = self._head or self._read()
            self._begin = max(self._begin, self._size())
            os.ftruncate(self._fd, 0)

    def taken(self) -> bytes:
        """What the guest wrote since `begin`, up to the limit."""
        head = self._read() if self._head is None else self._head
        self.trim()
        return head

    def close(self) -> None:
        os.close(self._fd)

    def _size(self) -> int:
        return os.fstat(self._fd).st_size

    def _read(self) -> bytes:
        return os.pread(self._fd, self._limit_bytes, self._begin)

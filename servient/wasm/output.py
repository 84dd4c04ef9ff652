"""What a guest writes to stdout or stderr: kept in memory, and only so much of it."""

import os


class Output:
    """A file in memory that the guest writes to; what exceeds the limit is thrown away.

    A file, since callbacks for output run on threads of the engine's own, which Python cannot end.
    """

    def __init__(self, name: str, limit_bytes: int) -> None:
        self._name = name
        self._fd: int | None = None
        self.limit_bytes = limit_bytes
        self._origin = 0  # where the call's output begins in the file
        self._begin = 0  # what lies before may be gone
        self._head: bytes | None = None
        self._inserted: list[tuple[int, bytearray]] = []
        self._inserted_bytes = 0

    @property
    def path(self) -> str:
        """Until it is asked for, nobody can write there, and there is no file."""
        if self._fd is None:
            self._fd = os.memfd_create(f"wasm-{self._name}")
        return f"/proc/self/fd/{self._fd}"

    def begin(self) -> None:
        """A call starts: what was written before belongs to others."""
        self._head = None
        self._inserted.clear()
        self._inserted_bytes = 0
        self._begin = self._origin = max(self._begin, self._size())

    def append(self, text: bytes) -> None:
        """Put in what the host writes on behalf of the guest, after what the guest wrote so far.

        It cannot go into the file: the guest writes there at an offset of its own.
        """
        text = text[: self.limit_bytes - self._inserted_bytes]
        position = max(self._begin, self._size())
        if self._inserted and self._inserted[-1][0] == position:
            self._inserted[-1][1].extend(text)
        elif text:
            self._inserted.append((position, bytearray(text)))
        self._inserted_bytes += len(text)

    def trim(self) -> None:
        """Free what exceeds the limit; to be called from time to time while the guest runs."""
        if self._fd is not None and self._size() - self._begin > self.limit_bytes:
            self._head = self._head or self._read()
            self._begin = max(self._begin, self._size())
            os.ftruncate(self._fd, 0)

    def taken(self) -> bytes:
        """What the guest wrote since `begin`, up to the limit."""
        head = self._read() if self._head is None else self._head
        self.trim()
        return self._merged(head) if self._inserted else head

    @property
    def is_cut(self) -> bool:
        """Whether the guest wrote more than was `taken`."""
        return self._head is not None

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)

    def _merged(self, head: bytes) -> bytes:
        parts: list[bytes | bytearray] = []
        at = 0
        for position, text in self._inserted:
            parts += [head[at : position - self._origin], text]
            at = position - self._origin
        return b"".join([*parts, head[at:]])[: self.limit_bytes]

    def _size(self) -> int:
        return 0 if self._fd is None else os.fstat(self._fd).st_size

    def _read(self) -> bytes:
        return b"" if self._fd is None else os.pread(self._fd, self.limit_bytes, self._begin)

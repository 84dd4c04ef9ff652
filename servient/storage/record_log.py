"""A file that texts of records are appended to: kept at the price of one small write each."""

import errno
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

# Together with what is on its way into the database.
SIZE_LIMIT_BYTES = 64 * 2**20


class Entry(NamedTuple):
    """A record's number, when it ended as of `time.time`, if it did, and its text."""

    number: int
    ended_at_seconds: float | None
    text: str


class Place(NamedTuple):
    """Where an entry is in its file."""

    start: int
    length: int


class RecordLog:
    """What is appended survives the end of the process; a line that was cut off by it is known as such.

    It has two files at times: the one that grows, and the one before it, which is on its way into the
    database. Each line begins with a checksum of its rest. `places` has the entries that matter.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._earlier_path = path.with_name(f"{path.name}.1")
        self._file = -1
        self._earlier_file = -1
        self._is_torn = False
        self.size_bytes = 0
        self.earlier_size_bytes = 0
        self.places: dict[int, Place] = {}

    def entries(self) -> tuple[list[Entry], int]:
        """What an earlier process left, oldest first, and how many lines of it are damaged.

        Raises OSError. A last line that was cut off was acknowledged to nobody: it does not count.
        """
        found: list[Entry] = []
        damaged = 0
        for path in (self._earlier_path, self._path):
            lines = path.read_bytes().split(b"\n") if path.exists() else [b""]
            for line in lines[:-1]:
                entry = _parse(line)
                if entry is None:
                    damaged += 1
                else:
                    found.append(entry)
        return found, damaged

    def open(self) -> None:
        """Begin anew, empty. Raises OSError."""
        self._earlier_path.unlink(missing_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(self._path, flags, 0o600)
        self.size_bytes = 0
        self.places = {}
        self._is_torn = False

    def append(self, number: int, ended_at_seconds: float | None, text: str) -> None:
        """Raises OSError: then nothing of it is there."""
        if self._is_torn:
            self._mend()
        line = to_line(number, ended_at_seconds, text)
        length = len(line)
        if self.size_bytes + self.earlier_size_bytes + length > SIZE_LIMIT_BYTES:
            raise OSError(errno.ENOSPC, f"{self._path} has grown to its limit")
        try:
            written = os.write(self._file, line)
        except OSError:
            self._is_torn = True
            raise
        if written != length:
            self._is_torn = True
            self._mend()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.places[number] = Place(self.size_bytes, length)
        self.size_bytes += length

    def _mend(self) -> None:
        """Take away what was written of a line that was not written whole."""
        os.ftruncate(self._file, self.size_bytes)
        self._is_torn = False

    def roll(self) -> dict[int, Place]:
        """Go on with an empty file; returns what matters of the earlier one. Raises OSError."""
        self._path.rename(self._earlier_path)
        earlier, places, size = self._file, self.places, self.size_bytes
        self._file = -1
        try:
            self._open_next()
        except OSError:  # a full folder: the earlier one grows on
            self._earlier_path.rename(self._path)
            self._file = earlier
            raise
        self._earlier_file, self.earlier_size_bytes = earlier, size
        return places

    def _open_next(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(self._path, flags, 0o600)
        self.size_bytes, self.places = 0, {}

    def read_earlier(self, places: Mapping[int, Place]) -> Iterator[Entry]:
        """On any thread. Raises OSError."""
        for place in places.values():
            entry = _parse(os.pread(self._earlier_file, place.length - 1, place.start))
            if entry is not None:
                yield entry

    def drop_earlier(self) -> None:
        """All that matters of it is elsewhere. Raises OSError."""
        self._earlier_path.unlink(missing_ok=True)
        os.close(self._earlier_file)
        self._earlier_file, self.earlier_size_bytes = -1, 0

    @property
    def is_empty(self) -> bool:
        return not (self.size_bytes or self.has_earlier)

    @property
    def has_earlier(self) -> bool:
        return self._earlier_file >= 0

    def close(self) -> None:
        for file in (self._file, self._earlier_file):
            if file >= 0:
                os.close(file)
        self._file = self._earlier_file = -1


def to_line(number: int, ended_at_seconds: float | None, text: str) -> bytes:
    """JSON has no line breaks, as our encoder writes it, and is ASCII."""
    rest = f"{number} {ended_at_seconds} {text}\n".encode("ascii")
    return b"%08x %b" % (zlib.crc32(rest), rest)


def _parse(line: bytes) -> Entry | None:
    """None of a line that is not as it was written."""
    digits, _, rest = line.partition(b" ")
    try:
        if int(digits, 16) != zlib.crc32(rest + b"\n"):
            return None
        number, ended_at, text = rest.decode("ascii").split(" ", 2)
        return Entry(int(number), None if ended_at == "None" else float(ended_at), text)
    except ValueError:
        return None

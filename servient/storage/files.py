"""Files named by the digest of what is in them: written once, whole or not at all."""

import contextlib
import hashlib
import os
import secrets
from collections.abc import Set
from pathlib import Path

from servient.errors import StorageFailed

SIZE_LIMIT_BYTES = 8 * 2**30


class FileStore:
    """A folder of files that are ours alone. Blocking: to be used off the event loop.

    `put` and `sweep` belong to the thread of the database, whose rows say which files are in use.
    """

    def __init__(self, folder: Path, limit_bytes: int = SIZE_LIMIT_BYTES) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._sizes: dict[str, int] = {}
        self._size_bytes = 0

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def open(self, used: Set[str]) -> None:
        """Make the folder, and remove what nobody uses: orphans, and what was half written."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name in used:
                    self._sizes[entry.name] = entry.stat().st_size
                elif entry.is_file(follow_symlinks=False) or entry.is_symlink():
                    Path(entry.path).unlink()
        self._size_bytes = sum(self._sizes.values())

    def put(self, body: bytes, *, is_durable: bool = False) -> str:
        """Keep a file, if it is not kept yet; returns its digest. Raises StorageFailed, OSError."""
        digest = hashlib.sha256(body).hexdigest()
        if self._sizes.get(digest) == len(body) and (not is_durable or self._is_whole(digest)):
            return digest
        if self._size_bytes + len(body) > self._limit_bytes:
            raise StorageFailed(
                f"the servient keeps no more than {self._limit_bytes} bytes of files"
            )
        draft = self._folder / f".{secrets.token_hex(8)}"
        try:
            _write(draft, body, is_durable=is_durable)
            draft.replace(self._folder / digest)
        finally:
            draft.unlink(missing_ok=True)
        if is_durable:
            _sync(self._folder)
        self._size_bytes += len(body) - self._sizes.get(digest, 0)
        self._sizes[digest] = len(body)
        return digest

    def read(self, digest: str) -> bytes:
        """Raises StorageFailed when it is gone or damaged."""
        try:
            body = (self._folder / digest).read_bytes()
        except OSError as error:
            raise StorageFailed(f"a file that was kept is gone: {error}") from error
        if hashlib.sha256(body).hexdigest() != digest:
            raise StorageFailed(f"the kept file {digest} is damaged")
        return body

    def _is_whole(self, digest: str) -> bool:
        try:
            self.read(digest)
        except StorageFailed:
            return False
        return True

    def remove(self, digest: str) -> None:
        if digest in self._sizes:
            with contextlib.suppress(FileNotFoundError):
                (self._folder / digest).unlink()
            self._size_bytes -= self._sizes.pop(digest)


def _write(path: Path, body: bytes, *, is_durable: bool) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(body)
        if is_durable:
            file.flush()
            os.fsync(fd)


def _sync(folder: Path) -> None:
    """A new name in a folder is safe only when the folder is."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

"""Compiled code by the digest of its source, in a folder that is ours alone."""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

SIZE_LIMIT_BYTES = 512 * 2**20
_DIGEST_BYTES = hashlib.sha256().digest_size


class CompileCache:
    """Files named by what they were made from; each begins with the digest of the rest.

    Compiled code is run as it is, so an entry that somebody else could have written, or that is
    damaged, counts as none. Blocking: to be used off the event loop.
    """

    def __init__(self, folder: Path, fingerprint: str, limit_bytes: int = SIZE_LIMIT_BYTES) -> None:
        self._folder = folder
        self._fingerprint = fingerprint
        self._limit_bytes = limit_bytes

    def get(self, source_digest: str) -> bytes | None:
        """The compiled code, or None when there is none to be trusted."""
        path = self._path(source_digest)
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return None
        with os.fdopen(fd, "rb") as file:
            if not self._is_ours(fd):
                return None
            digest, code = file.read(_DIGEST_BYTES), file.read()
        if hashlib.sha256(code).digest() != digest:
            self.forget(source_digest)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # when it was last used decides what goes first
        return code

    def put(self, source_digest: str, code: bytes) -> None:
        """Keep compiled code; a full disk or a read-only folder only means that it is not kept."""
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            draft = self._folder / f".{secrets.token_hex(8)}"
            try:
                fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
                with os.fdopen(fd, "wb") as file:
                    file.write(hashlib.sha256(code).digest() + code)
                draft.replace(self._path(source_digest))
            finally:
                draft.unlink(missing_ok=True)
            self._shrink()

    def forget(self, source_digest: str) -> None:
        with contextlib.suppress(OSError):
            self._path(source_digest).unlink()

    def _path(self, source_digest: str) -> Path:
        return self._folder / f"{source_digest}-{self._fingerprint}"

    def _is_ours(self, fd: int) -> bool:
        """Nobody else may have written the file, nor put another in its place."""
        return all(
            status.st_uid == os.geteuid() and not status.st_mode & 0o022
            for status in (os.fstat(fd), self._folder.stat())
        )

    def _shrink(self) -> None:
        found = [(path.stat(), path) for path in self._folder.iterdir()]
        size = sum(status.st_size for status, _ in found)
        for status, path in sorted(found, key=lambda entry: entry[0].st_mtime):
            if size <= self._limit_bytes:
                return
            path.unlink(missing_ok=True)
            size -= status.st_size

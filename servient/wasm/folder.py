"""The host's side of a guest's private folder: nothing that the guest plants there is followed."""

import contextlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from servient.errors import InvalidInput, TooLarge
from servient.wasm.removal import remove_tree
from servient.wasm.types import Limits

NAME_LIMIT_BYTES = 255
# Deeper than anybody needs, and far from where walking through it fails.
DEPTH_LIMIT = 32


class Folder:
    """Files by plain names, opened without following links. Blocking: for the instance's worker."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path = path
        self._limits = limits

    def prepare(self, inputs: Mapping[str, bytes], outputs: tuple[str, ...]) -> None:
        """Write the inputs, and remove outputs of earlier calls: a result is never an old one."""
        for name in (*inputs, *outputs):
            self._clear(name)
        for name, body in inputs.items():
            fd = os.open(
                self.path / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600
            )
            with os.fdopen(fd, "wb") as file:
                file.write(body)

    def mark(self) -> None:
        """Make the files look old, so that those that are written from now on can be told."""
        for file in self._files():
            with contextlib.suppress(OSError):
                os.utime(file, ns=(0, 0), follow_symlinks=False)

    def written(self) -> tuple[str, ...]:
        """The name of the first file that was written since `mark`, if there is one."""
        names = [file.name for file in self._files() if file.lstat().st_mtime_ns]
        return tuple(sorted(names)[:1])

    def _files(self) -> list[Path]:
        with os.scandir(self.path) as entries:
            files = [entry for entry in entries if entry.is_file(follow_symlinks=False)]
        return [Path(entry.path) for entry in files]

    def collect(self, outputs: tuple[str, ...]) -> dict[str, bytes]:
        """The outputs that are there and are files. Raises TooLarge."""
        found = {name: self._read(name) for name in outputs}
        return {name: body for name, body in found.items() if body is not None}

    def is_full(self) -> bool:
        """Whether the guest has put more into it than it may."""
        count, size = 0, 0
        deepest = len(self.path.parts) + DEPTH_LIMIT
        for parent, _, names in os.walk(self.path):  # which does not follow links
            for name in names:
                with contextlib.suppress(OSError):  # the guest may remove files meanwhile
                    size += Path(parent, name).lstat().st_blocks * 512
            count += 1 + len(names)
            if count > self._limits.folder_entries or size > self._limits.folder_bytes:
                return True
            if len(Path(parent).parts) > deepest:
                return True
        return False

    def _clear(self, name: str) -> None:
        path = self.path / check_name(name)
        try:
            if stat.S_ISDIR(path.lstat().st_mode):
                remove_tree(path)
            else:
                path.unlink()
        except FileNotFoundError:
            pass

    def _read(self, name: str) -> bytes | None:
        try:
            fd = os.open(self.path / check_name(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:  # not there, or a link
            return None
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            return None
        with os.fdopen(fd, "rb") as file:  # which refuses a folder, and would leave it open
            body = file.read(self._limits.output_bytes + 1)
        if len(body) > self._limits.output_bytes:
            raise TooLarge(f"the file {name!r} is over {self._limits.output_bytes} bytes")
        return body


def check_name(name: str) -> str:
    """A single segment of a path. Raises InvalidInput."""
    if (
        name in ("", ".", "..")
        or "/" in name
        or "\0" in name
        or len(name.encode(errors="surrogatepass")) > NAME_LIMIT_BYTES
        or any("\ud800" <= each <= "\udfff" for each in name)  # a half character has no encoding
    ):
        raise InvalidInput(f"{name[:50]!r} is not the name of a file")
    return name

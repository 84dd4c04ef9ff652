"""The host's side of a guest's private folder: nothing that the guest plants there is followed."""

import contextlib
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from servient.errors import InvalidInput, TooLarge
from servient.wasm.deployed_files import DeployedFiles, deployed_path
from servient.wasm.removal import remove_any
from servient.wasm.types import Limits
from servient.wasm.unlinked import unlinked_bytes

NAME_LIMIT_BYTES = 255
# Deeper than anybody needs, and far from where walking through it fails.
DEPTH_LIMIT = 32


class Folder:
    """Files by plain names, opened without following links. Blocking: for the instance's worker.

    `deployed` has the servient's own copies of the files that came with the deployment, by default
    those beside the folder.
    """

    def __init__(self, path: Path, limits: Limits, deployed: Path | None = None) -> None:
        self.path = path
        self._limits = limits
        self._deployed = DeployedFiles(deployed or deployed_path(path), path)
        self._mounted: frozenset[str] = frozenset()

    def restore(self) -> None:
        """The files of the deployment are there, as they came."""
        self._deployed.restore()

    def reset(self) -> None:
        """A folder with the files of the deployment, as if nobody had been in it."""
        self.path.mkdir(mode=0o700, exist_ok=True)
        for entry in list(self.path.iterdir()):
            if entry.name not in self._deployed:
                remove_any(entry)
        self._deployed.restore()

    def prepare(self, inputs: Mapping[str, bytes], outputs: Iterable[str]) -> frozenset[str]:
        """Write the inputs, and remove outputs of earlier calls: a result is never an old one.

        Returns what `clear` wants when the call is over.
        """
        names = frozenset((*inputs, *outputs))
        self._deployed.restore(covered=names)
        self.remove(names | self._mounted)  # also of a call that did not come back in time
        self._mounted = names
        for name, body in inputs.items():
            fd = os.open(
                self.path / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o400
            )
            with os.fdopen(fd, "wb") as file:
                file.write(body)
        return names

    def clear(self, mounted: frozenset[str], written: Iterable[str]) -> None:
        """Remove what a call mounted and wrote, unless another call came in its place."""
        if self._mounted is mounted:
            self.remove({*mounted, *written})
            self._mounted = frozenset()

    def remove(self, names: Iterable[str]) -> None:
        """Remove whatever has these names."""
        for name in names:
            remove_any(self.path / check_name(name))

    def mark(self) -> None:
        """Take note of the files, so that those that are written from now on can be told."""
        for file in self._own_files():
            with contextlib.suppress(OSError):
                os.utime(file, ns=(0, 0), follow_symlinks=False)

    def written(self) -> tuple[str, ...]:
        """The name of the first file that was written since `mark`, if there is one."""
        names = [file.name for file in self._own_files() if file.lstat().st_mtime_ns]
        return tuple(sorted(names)[:1])

    def _own_files(self) -> list[Path]:
        """Those that did not come with the deployment."""
        with os.scandir(self.path) as entries:
            files = [entry for entry in entries if entry.is_file(follow_symlinks=False)]
        return [Path(entry.path) for entry in files if entry.name not in self._deployed]

    def collect(self, outputs: tuple[str, ...]) -> dict[str, bytes]:
        """The outputs that are there and are files. Raises TooLarge."""
        found = {name: self._read(name) for name in outputs}
        return {name: body for name, body in found.items() if body is not None}

    def is_full(self) -> bool:
        """Whether the guest has put more into it than it may."""
        count, size = 0, unlinked_bytes(self.path)
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

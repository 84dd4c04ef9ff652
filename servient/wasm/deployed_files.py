"""The files of a deployment as a guest finds them: read-only, and put back when it changed them."""

import contextlib
import os
import time
from collections.abc import Container
from pathlib import Path
from typing import TypeAlias

from servient.wasm.removal import remove_any

# What the kernel stamps files with; Linux's <time.h>, of which Python has no name for it.
_CLOCK_REALTIME_COARSE = 5
_TICK_SECONDS = 0.001
_COPY_BYTES = 2**30

_Stamp: TypeAlias = tuple[int, ...]


def deployed_path(folder: Path) -> Path:
    """Where the servient's own copies lie: beside a guest's folder, out of its reach."""
    return folder.with_name(f"{folder.name}.deployed")


class DeployedFiles:
    """Keeps copies of the files in `source` in the folder `target`. Blocking.

    A guest could write to them wherever the servient is root, and could rename or replace them
    anywhere: that is found out by looking at each file's stamp, which costs less than a copy.
    """

    def __init__(self, source: Path, target: Path) -> None:
        self._source = source
        self._target = target
        self._stamps: dict[str, _Stamp | None] | None = None

    def restore(self, covered: Container[str] = ()) -> None:
        """Put back what is not as it was; the files whose names are `covered` are not needed now."""
        stamps = self._known()
        newest = 0
        for name, stamp in stamps.items():
            path = f"{self._target}/{name}"
            if name not in covered and (stamp is None or stamp != _stamp(path)):
                self._copy(name)
                stamps[name] = _stamp(path)
                newest = max(newest, os.lstat(path).st_ctime_ns)
        if newest:
            _wait_for_tick_after(newest)

    def __contains__(self, name: object) -> bool:
        return name in self._known()

    def _known(self) -> dict[str, _Stamp | None]:
        if self._stamps is None:  # at the first call: the files come after the program
            files = self._source.iterdir() if self._source.is_dir() else ()
            self._stamps = dict.fromkeys(sorted(file.name for file in files))
        return self._stamps

    def _copy(self, name: str) -> None:
        remove_any(self._target / name)
        source = os.open(self._source / name, os.O_RDONLY)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            target = os.open(self._target / name, flags, 0o400)
            try:
                while os.sendfile(target, source, None, _COPY_BYTES):
                    pass
            finally:
                os.close(target)
        finally:
            os.close(source)


def _stamp(path: str) -> _Stamp | None:
    """What no write, link, rename or replacement leaves as it is; None where nothing is."""
    with contextlib.suppress(FileNotFoundError):
        found = os.lstat(path)
        return (
            found.st_dev,
            found.st_ino,
            found.st_mode,
            found.st_nlink,
            found.st_size,
            found.st_mtime_ns,
            found.st_ctime_ns,
        )
    return None


def _wait_for_tick_after(stamp_ns: int) -> None:
    """A change within the same tick of the clock would leave the same stamp: a few ms at most."""
    while time.clock_gettime_ns(_CLOCK_REALTIME_COARSE) <= stamp_ns:
        time.sleep(_TICK_SECONDS)

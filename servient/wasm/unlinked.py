"""Files that a guest has removed and goes on writing to: no folder shows them, and a disk fills."""

import contextlib
import os
from pathlib import Path

_DESCRIPTORS = "/proc/self/fd"
_REMOVED = " (deleted)"  # as Linux ends the names of such files, see proc(5)


def unlinked_bytes(folder: Path) -> int:
    """What the files of a folder take on the disk that are removed and still open in this process."""
    beginning = f"{folder}{os.sep}"
    size = 0
    with os.scandir(_DESCRIPTORS) as descriptors:
        for each in descriptors:
            with contextlib.suppress(OSError):  # closed meanwhile
                name = str(Path(each.path).readlink())
                if name.startswith(beginning) and name.endswith(_REMOVED):
                    size += each.stat().st_blocks * 512
    return size

"""Removes a folder in which a guest may have nested others deeper than a path or a stack can go."""

import os
import secrets
import stat
from pathlib import Path

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_tree(path: Path) -> None:
    """Remove a folder and all in it, following no link. Raises OSError.

    Inner folders are lifted to the top before they are emptied: that takes no recursion, no long
    path and no descriptor per level, unlike `shutil.rmtree`.
    """
    top = os.open(path, _OPEN)
    try:
        waiting = _unlink_files(top)
        while waiting:
            waiting += _lift_folders(waiting.pop(), top)
    finally:
        os.close(top)
    path.rmdir()


def remove_any(path: Path) -> None:
    """Remove whatever lies there, if anything does. Raises OSError."""
    try:
        if stat.S_ISDIR(path.lstat().st_mode):
            remove_tree(path)
        else:
            path.unlink()
    except FileNotFoundError:
        pass


def _lift_folders(name: str, top: int) -> list[str]:
    """Empty and remove one folder of the top; the folders in it are then the top's."""
    lifted = []
    folder = os.open(name, _OPEN, dir_fd=top)
    try:
        for inner in _unlink_files(folder):
            target = f".removing-{secrets.token_hex(8)}"  # no name that the guest could have taken
            os.rename(inner, target, src_dir_fd=folder, dst_dir_fd=top)
            lifted.append(target)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=top)
    return lifted


def _unlink_files(folder: int) -> list[str]:
    """Remove everything but the folders; returns their names."""
    with os.scandir(folder) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in found:
        if not is_folder:
            os.unlink(name, dir_fd=folder)
    return [name for name, is_folder in found if is_folder]

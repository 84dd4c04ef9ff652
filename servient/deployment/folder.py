"""The private folders of deployed modules, below one instance folder."""

import contextlib
import secrets
from collections.abc import Mapping
from pathlib import Path

from servient.wasm.removal import remove_tree


class ModuleFolder:
    """One module's own folder. Its name is ours: nothing from outside is joined into a path."""

    def __init__(self, parent: Path) -> None:
        self.path = parent / secrets.token_hex(8)

    def create(self, files: Mapping[str, bytes]) -> None:
        """Make the folder with the files of the deployment; their names are single path segments."""
        self.path.mkdir(mode=0o700, parents=True)
        for name, body in files.items():
            (self.path / name).write_bytes(body)

    def remove(self) -> None:
        with contextlib.suppress(OSError):
            remove_tree(self.path)

"""The private folders of deployed modules, below one instance folder."""

import contextlib
import secrets
from collections.abc import Mapping
from pathlib import Path

from servient.wasm.deployed_files import deployed_path
from servient.wasm.removal import remove_tree


class ModuleFolder:
    """One module's own folder. Its name is ours: nothing from outside is joined into a path."""

    def __init__(self, parent: Path) -> None:
        self.path = parent / secrets.token_hex(8)

    def create(self, files: Mapping[str, bytes]) -> None:
        """Make the folder; the files of the deployment lie beside it, and a guest gets copies.

        Their names are single path segments.
        """
        self.path.mkdir(mode=0o700, parents=True)
        deployed = deployed_path(self.path)
        deployed.mkdir(mode=0o700)
        for name, body in files.items():
            (deployed / name).write_bytes(body)

    def put(self, name: str, body: bytes) -> None:
        """Replace a file of the deployment."""
        (deployed_path(self.path) / name).write_bytes(body)

    def remove(self) -> None:
        for path in (self.path, deployed_path(self.path)):
            with contextlib.suppress(OSError):
                remove_tree(path)

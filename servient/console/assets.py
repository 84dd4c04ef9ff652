"""The files that the page is made of, read once, under a path that changes when any of them does."""

import gzip
import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

STATIC = Path(__file__).parent / "static"
# What this table lacks, machines may know under another name, or not at all.
MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, also as gzip."""

    body: bytes
    compressed: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Assets:
    """All files by their paths below `root`, an absolute path of their own for each content."""

    root: str
    files: Mapping[str, Asset]

    def named(self, suffix: str) -> Iterator[str]:
        """The URLs of all files whose names end so."""
        return (f"{self.root}/{name}" for name in self.files if name.endswith(suffix))


def load_assets(folder: Path = STATIC) -> Assets:
    """Raises OSError."""
    digest = blake2b(digest_size=8)
    files = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name, body = path.relative_to(folder).as_posix(), path.read_bytes()
        digest.update(b"%b %d\n%b" % (name.encode(), len(body), body))
        media_type = MEDIA_TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
        files[name] = Asset(
            body, gzip.compress(body, mtime=0), media_type or "application/octet-stream"
        )
    return Assets(f"/console/{digest.hexdigest()}", files)

"""What the containers of a stack need from this machine: the topology's file and what it names."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from emulation.errors import InvalidTopology
from emulation.topology import BuiltinApps, Topology

MOUNT = PurePosixPath("/emulation")
# Swarm keeps configs in its log, and takes no larger ones.
FILE_LIMIT_BYTES = 1000 * 1024


@dataclass(frozen=True, slots=True)
class Shipped:
    """A file here, and where containers find it."""

    source: Path
    target: PurePosixPath


def find_files(topology: Topology, file: Path) -> list[Shipped]:
    """The topology's file first. What lies together here lies together there.

    Raises InvalidTopology for a file that is missing, or too large for Swarm.
    """
    named = [file, *_named(topology, file.parent)]
    paths = list(dict.fromkeys(path.resolve() for path in named))
    for path in paths:
        if not path.is_file():
            raise InvalidTopology(f"there is no file {path}")
        if path.stat().st_size > FILE_LIMIT_BYTES:
            raise InvalidTopology(
                f"{path} is larger than Swarm ships: put it into the node's image"
            )
    root = Path(os.path.commonpath([path.parent for path in paths]))
    return [Shipped(path, MOUNT / path.relative_to(root).as_posix()) for path in paths]


def _named(topology: Topology, base: Path) -> Iterator[Path]:
    for node in topology.nodes:
        path = node.app.path
        if path is not None and path not in set(BuiltinApps) and not _is_url(path):
            yield base / path
        for item in node.app.servient.deploys if node.app.servient else ():
            if not _is_url(item):
                yield base / item
                yield from _of_manifest(base / item, base)


def _of_manifest(file: Path, base: Path) -> Iterator[Path]:
    """The files that a manifest names, seen from the topology's folder."""
    if file.suffix != ".json" or not file.is_file():
        return
    for text in _texts(json.loads(file.read_text())):
        if text and not _is_url(text) and "\0" not in text and len(text) < 256:
            named = base / text
            if named.is_file():
                yield named


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)


def _is_url(text: str) -> bool:
    return urlsplit(text).scheme in ("http", "https")

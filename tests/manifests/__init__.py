"""Manifests as an orchestrator sent them, and the older ones of the supervisor's README."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


def load_manifest(name: str) -> dict[str, Any]:
    """A fresh copy of a manifest by the name of its file."""
    manifest: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return manifest

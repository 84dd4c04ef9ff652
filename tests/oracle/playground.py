"""Judges Thing Descriptions and Thing Models with W3C's assertion report, run by node."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent
DEADLINE_SECONDS = 110


def check_with_playground(documents: Sequence[dict[str, Any]], *, models: bool = False) -> None:
    """Fails the test with every check and assertion that one of the complete documents fails.

    Without node or its packages the test is skipped, but fails where CI=true promises them.
    """
    run_node("check.mjs", documents, *(["--models"] if models else []))


def check_data_schemas(documents: Sequence[dict[str, Any]]) -> None:
    """Fails the test with every data schema, by its place, that AJV has anything to say against."""
    run_node("compile.mjs", documents)


def run_node(script: str, document: Any, *options: str) -> str:
    """What a script of this folder prints about a document; fails the test when it fails."""
    node = shutil.which("node")
    if missing := _missing(node):
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "documents.json")
        path.write_text(json.dumps(document), encoding="utf-8")
        judged = subprocess.run(
            [str(node), script, *options, str(path)],
            cwd=FOLDER,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
    assert judged.returncode == 0, judged.stdout + judged.stderr
    return judged.stdout


def _missing(node: str | None) -> str | None:
    if node is None:
        return "node is not installed: the Thing Descriptions are not judged by W3C's assertions"
    if not (FOLDER / "node_modules").is_dir():
        return f"no packages for the assertion report: npm ci --prefix {FOLDER}"
    return None

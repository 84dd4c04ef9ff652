"""The examples as manifests that need no file server."""

import base64
import json
import re
from typing import Any

from tests.console.browsing import EXAMPLES


def local_manifest(example: str, **replace: Any) -> dict[str, Any]:
    """An example's manifest, the files that it names as data: URLs."""
    text = (EXAMPLES / example / "manifest.json").read_text()
    text = re.sub(
        r'"http://localhost:8000/([^"]+)"', lambda found: json.dumps(_url(found[1])), text
    )
    return {**json.loads(text), **replace}


def _url(path: str) -> str:
    kind = "application/wasm" if path.endswith(".wasm") else "application/json"
    content = base64.b64encode((EXAMPLES / path).read_bytes()).decode()
    return f"data:{kind};base64,{content}"

"""Deploying modules of examples/ to a running servient, as an orchestrator does."""

import contextlib
import functools
import http.server
import json
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
FIBO = "wasm-binaries/wasm32-unknown-unknown/fibo.wasm"
PATIENCE_SECONDS = 60.0


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serving(folder: Path = EXAMPLES) -> Iterator[str]:
    """The folder over HTTP; yields the origin."""
    handler = functools.partial(_Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def fibonacci_manifest(origin: str, deployment: str = "fibonacci-1") -> dict[str, Any]:
    """The example's manifest for the module that all contenders call."""
    text = (EXAMPLES / "fibonacci" / "manifest.json").read_text()
    text = text.replace("http://localhost:8000/fibonacci/fibonacci.wasm", f"{origin}/{FIBO}")
    text = text.replace("http://localhost:8000", origin)
    return {**json.loads(text), "deploymentId": deployment}


def manifest_of(example: str, origin: str, deployment: str) -> dict[str, Any]:
    text = (EXAMPLES / example / "manifest.json").read_text()
    return {
        **json.loads(text.replace("http://localhost:8000", origin)),
        "deploymentId": deployment,
    }


def deploy(servient: str, manifest: dict[str, Any]) -> None:
    """Raises RuntimeError."""
    answer = ask(f"{servient}/deploy", manifest)
    if answer["status"] != "success":
        raise RuntimeError(f"not deployed: {answer}")


def ask(url: str, body: Any = None) -> Any:
    """The JSON that a URL answers with."""
    data = None if body is None else json.dumps(body).encode()
    headers = {} if body is None else {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers)
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
        return json.loads(answer.read())

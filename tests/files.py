"""A file server for modules and manifests, and one that misbehaves on request."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parent.parent / "examples"


class FileServer:
    """Serves what stands in `files` by path, else the examples; a few paths misbehave."""

    def __init__(self, origin: str = "") -> None:
        self.origin = origin
        self.files: dict[str, bytes] = {}
        self.requests: list[str] = []

    def manifest(self, path: str, **replace: Any) -> dict[str, Any]:
        """An example's manifest with its URLs pointing here and top-level members replaced."""
        text = (EXAMPLES / path).read_text().replace("http://localhost:8000", self.origin)
        return {**json.loads(text), **replace}

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            self.requests.append(path)
            await self._answer(path, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, path: str, writer: asyncio.StreamWriter) -> None:
        match path:
            case "/drip":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                for _ in range(1000):
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(0.1)
            case "/endless":
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                while True:
                    writer.write(bytes(65536))
                    await writer.drain()
            case "/redirect":
                writer.write(b"HTTP/1.1 302 Found\r\nLocation: /fibonacci/fibonacci.wasm\r\n\r\n")
            case "/compressed":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b")
            case _:
                body = self._body(path)
                status = b"404 Not Found" if body is None else b"200 OK"
                body = body or b""
                writer.write(
                    b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body
                )
        await writer.drain()

    def _body(self, path: str) -> bytes | None:
        if path in self.files:
            return self.files[path]
        file = EXAMPLES / path.lstrip("/")
        return file.read_bytes() if file.is_file() else None


@contextlib.asynccontextmanager
async def serve_files() -> AsyncIterator[FileServer]:
    files = FileServer()
    server = await asyncio.start_server(files.handle, "127.0.0.1", 0)
    files.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield files
    finally:
        server.close()

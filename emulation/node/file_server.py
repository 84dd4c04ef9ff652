"""Serves the files of one folder on loopback, while modules are fetched from there."""

import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.web import Application, StaticFileHandler


@contextlib.asynccontextmanager
async def serve_files(folder: Path) -> AsyncIterator[str]:
    """The origin of a server that lasts as long as the block."""
    server = HTTPServer(Application([(r"/(.*)", StaticFileHandler, {"path": str(folder)})]))
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    server.add_socket(listening)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.stop()
        await server.close_all_connections()

"""Takes the metrics of all replicas of a stack, over the network that only they are in."""

import asyncio
import hmac
import logging
import re
import signal
from pathlib import Path
from urllib.parse import quote

import httpx
from tornado.httpserver import HTTPServer
from tornado.web import Application, HTTPError, RequestHandler, stream_request_body

logger = logging.getLogger(__name__)

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,127}")
FILE_LIMIT_BYTES = 2 * 2**30
UPLOAD_SECONDS = 60.0
AUTHORIZATION = "Authorization"


@stream_request_body
class _Upload(RequestHandler):
    """`PUT /metrics/<replica>`: the file that a replica has written so far."""

    def initialize(self, folder: Path, token: str) -> None:
        self._folder = folder
        self._token = token
        self._part: Path | None = None

    def prepare(self) -> None:
        given = self.request.headers.get(AUTHORIZATION, "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            raise HTTPError(401)
        replica = self.path_args[0]
        if self.request.method != "PUT" or not NAME.fullmatch(replica):
            raise HTTPError(404)
        self._part = self._folder / f"{replica}.part"
        self._part.write_bytes(b"")

    def data_received(self, chunk: bytes) -> None:
        if self._part is not None:
            with self._part.open("ab") as file:
                file.write(chunk)

    def put(self, replica: str) -> None:
        """Whole files only: what broke off on the way leaves the one before."""
        if self._part is not None:
            self._part.rename(self._folder / f"{replica}.sqlite")
        self.set_status(204)

    def log_exception(self, *arguments: object) -> None:
        logger.info("%s %s is refused", self.request.method, self.request.path)


def serve_collector(folder: Path, token: str, host: str, port: int) -> HTTPServer:
    """Keep what comes in `folder`. Whoever does not know the token is turned away."""
    folder.mkdir(parents=True, exist_ok=True)
    options = {"folder": folder, "token": token}
    application = Application([(r"/metrics/([^/]+)", _Upload, options)])
    return application.listen(port, host, max_body_size=FILE_LIMIT_BYTES)


async def run_collector(folder: Path, token: str, port: int) -> None:
    """Serve on all interfaces, which are those of a container, until SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = serve_collector(folder, token, "0.0.0.0", port)  # noqa: S104 - in a network of its own
    await stop.wait()
    server.stop()
    await server.close_all_connections()


async def upload(file: Path, replica: str, collector: str, token: str) -> None:
    """Raises httpx.HTTPError."""
    url = f"{collector}/metrics/{quote(replica, safe='')}"
    headers = {AUTHORIZATION: f"Bearer {token}"}
    body = await asyncio.to_thread(file.read_bytes)
    async with httpx.AsyncClient(trust_env=False, timeout=UPLOAD_SECONDS) as client:
        response = await client.put(url, content=body, headers=headers)
        response.raise_for_status()

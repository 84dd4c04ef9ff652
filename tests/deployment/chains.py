"""Two machines, chains over them, and a next step that misbehaves on request."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.files import FileServer
from tests.orchestrator.manifests import Step, make_manifests
from tests.orchestrator.modules import Module

DEPLOYMENT = "6b0245d64195de0afd6afcc8"
LINKS_LIMIT = 10


class ChainFailed(Exception):
    """What an orchestrator shows its user."""


class Machines:
    """Deploys to servients and calls them as an orchestrator does."""

    def __init__(self, http: httpx.AsyncClient, files: FileServer) -> None:
        self.http = http
        self.files = files

    def offer(self, module: Module) -> dict[str, Any]:
        """The module as it stands in a manifest, to be fetched."""
        urls = module.urls("")
        self.files.files |= {urls["binary"]: module.wasm}
        self.files.files |= {urls["other"][name]: body for name, body in module.files.items()}
        return {
            "id": module.id,
            "name": module.name,
            "urls": {**module.urls(self.files.origin), "description": None},
        }

    async def deploy(self, machine: str, manifest: Any) -> None:
        answer = await self.http.post(f"{machine}//deploy", json=manifest)
        assert answer.status_code == 200, answer.text

    async def chain(self, *steps: tuple[Module, str, str], to: Any = None) -> str:
        """Deploy a chain of (module, function, machine); returns the URL of its first step.

        `to` is what follows the last.
        """
        made = [Step.of(machine, module, function) for module, function, machine in steps]
        manifests = make_manifests(DEPLOYMENT, self.files.origin, made)
        for step in made:
            self.offer(step.module)
            instructions = manifests[step.device_url]["instructions"]["modules"]
            if step is made[-1] and to is not None:
                instructions[step.module.name][step.function.name]["to"] = to
        for machine, manifest in manifests.items():
            await self.deploy(machine, manifest)
        return self.url(*steps[0])

    @staticmethod
    def url(module: Module, function: str, machine: str) -> str:
        return f"{machine}/{DEPLOYMENT}/modules/{module.name}/{function}"

    async def run(self, url: str, method: str = "GET", **more: Any) -> dict[str, Any]:
        """Call a function and follow the links to the last result. Raises ChainFailed."""
        answer = await self.http.request(method, url, **more)
        links: list[str] = []
        for _ in range(LINKS_LIMIT):
            entry: dict[str, Any] = answer.json()
            if entry.get("status") == "error" or not answer.is_success:
                raise ChainFailed(entry.get("error"))
            if not isinstance(entry["result"], str):
                return {**entry, "links": links}
            links.append(entry["result"])
            answer = await self.http.get(entry["result"])
        raise AssertionError(f"the links do not end: {links}")

    async def value(self, url: str, method: str = "GET", **parameters: Any) -> Any:
        """The last result of a chain that begins with a function of parameters."""
        entry = await self.run(url, method, params=parameters)
        return json.loads(entry["result"][0])


def endpoint(
    url: str,
    path: str,
    method: str = "get",
    parameters: Sequence[tuple[str, str]] = (("x", "integer"),),
    files: Sequence[str] = (),
) -> dict[str, Any]:
    """An endpoint as manifests have it."""
    request: dict[str, Any] = {
        "parameters": [{"name": n, "in": "query", "schema": {"type": t}} for n, t in parameters]
    }
    if files:
        binary = {"type": "string", "format": "binary"}
        request["request_body"] = {
            "media_type": "multipart/form-data",
            "schema": {"type": "object", "properties": dict.fromkeys(files, binary)},
        }
    return {
        "url": url,
        "path": path,
        "method": method,
        "request": request,
        "response": {"media_type": "application/json", "schema": {"type": "integer"}},
    }


@dataclass(frozen=True, slots=True)
class Received:
    """One request that a stranger got; header names are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Stranger:
    """A next step that is none of ours, and does what its path says; `link` is where results are."""

    origin: str = ""
    link: str = ""
    received: list[Received] = field(default_factory=list)

    def at(self, path: str) -> list[Received]:
        return [each for each in self.received if each.target.partition("?")[0] == path]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *rest = head.splitlines()
            fields = (each.split(": ", 1) for each in rest if each)
            headers = {name.lower(): text for name, text in fields}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            method, target, _ = line.split(" ")
            self.received.append(Received(method, target, headers, body))
            await self._answer(target.partition("?")[0], writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, path: str, writer: asyncio.StreamWriter) -> None:
        match path:
            case "/silent":
                await asyncio.sleep(60)
            case "/hang-up":
                return
            case "/hang-up-once" if len(self.at(path)) == 1:
                return
            case "/drip":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                for _ in range(1000):
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(0.05)
            case "/endless":
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                while True:
                    writer.write(b" " * 65536)
                    await writer.drain()
            case "/endless-head":
                writer.write(b"HTTP/1.1 200 OK\r\n")
                while True:
                    writer.write(b"X-Y: z\r\n" * 1000)
                    await writer.drain()
            case _:
                writer.write(self._plain(path))
        await writer.drain()

    def _plain(self, path: str) -> bytes:
        done = {"resultUrl": self.link or f"{self.origin}/request-history/1"}
        match path:
            case "/garbage":
                return _response("200 OK", b"\x00\xff{")
            case "/not-http":
                return b"SSH-2.0-OpenSSH_9.2\r\n"
            case "/huge":
                return _response("200 OK", b'{"x": "' + b"y" * 10 * 2**20 + b'"}')
            case "/redirect":
                return _response("302 Found", b"", f"Location: {self.origin}/done")
            case "/compressed":
                return _response("200 OK", b"\x1f\x8b", "Content-Encoding: gzip")
            case "/no-link":
                return _response("200 OK", b'{"result": ["1", null]}')
            case "/odd-link":
                return _response("200 OK", b'{"resultUrl": "file:///etc/passwd"}')
            case "/failed":
                return _json("200 OK", {**done, "status": "error", "error": "out of\nmemory"})
            case "/refused":
                return _json("404 Not Found", {"status": "error", "result": "no such module"})
            case "/broken":
                return _response("500 Internal Server Error", b"<html>Traceback")
            case "/request-history/1":
                return _json("200 OK", {"success": True, "result": ["7", None]})
        return _json("200 OK", done)


def _json(status: str, value: Any) -> bytes:
    return _response(status, json.dumps(value).encode())


def _response(status: str, body: bytes, header: str = "X-Y: z") -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{header}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


@contextlib.asynccontextmanager
async def stranger() -> AsyncIterator[Stranger]:
    served = Stranger()
    server = await asyncio.start_server(served.handle, "127.0.0.1", 0)
    served.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield served
    finally:
        server.close()

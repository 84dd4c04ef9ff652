"""Hostile texts in every part of a request to the orchestrator's routes: nothing is found with them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from servient.app import App
from servient.config import Config
from tests.files import FileServer
from tests.orchestrator import uploads
from tests.orchestrator.hostile import Decoy, leaks, snapshot, spelled
from tests.orchestrator.manifests import Step, make_manifests
from tests.orchestrator.test_hostile_manifests import serve_modules

DEPLOYMENT = "d"
FUNCTION = f"/{DEPLOYMENT}/modules/bytes/invert"
MODULE = uploads.bytes_module()
ROUTES = (
    "/{}",
    "//{}",
    "/deploy/{}",
    "/register/{}",
    "/health/{}",
    "/.well-known/{}",
    "/request-history/{}",
    f"/request-history/{DEPLOYMENT}:bytes:{{}}:0",
    "/{}/modules/bytes/invert",
    f"/{DEPLOYMENT}/{{}}/bytes/invert",
    f"/{DEPLOYMENT}/modules/{{}}/invert",
    f"/{DEPLOYMENT}/modules/bytes/{{}}",
    f"{FUNCTION}/{{}}",
    f"{FUNCTION}/../{{}}",
    "/{}/modules/bytes/invert/result.jpeg",
    "/module_results/{}/result.jpeg",
    "/module_results/bytes/{}",
    f"/module_results/{DEPLOYMENT}/{MODULE.id}/{{}}",
    f"/module_results/{DEPLOYMENT}/{{}}/result.jpeg",
    f"/module_results/{{}}/{MODULE.id}/result.jpeg",
    f"{FUNCTION}?{{}}",
    f"{FUNCTION}?image.jpeg={{}}",
    f"/{DEPLOYMENT}/modules/bytes/addf?a={{}}&b=1",
)


class Wire:
    """Requests exactly as they are given: a client's library would tidy them up."""

    def __init__(self, url: str) -> None:
        self.host, _, port = url.removeprefix("http://").partition(":")
        self._port = int(port)

    async def send(
        self, method: str, target: str, body: bytes = b"", *headers: str
    ) -> tuple[int, bytes]:
        """The status and all that came with it."""
        reader, writer = await asyncio.open_connection(self.host, self._port)
        try:
            lines = [f"{method} {target} HTTP/1.1", "Connection: close", *headers]
            if not any(line.startswith("Host:") for line in headers):
                lines.append(f"Host: {self.host}:{self._port}")
            if body:
                lines.append(f"Content-Length: {len(body)}")
            writer.write("\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body)
            async with asyncio.timeout(30):
                answer = await reader.read()
            return int(answer.split(b" ", 2)[1]), answer
        finally:
            writer.close()


@pytest.fixture
async def app(configure: Callable[..., Config]) -> AsyncIterator[App]:
    async with App(configure("first")) as app:
        yield app


@pytest.fixture
async def wire(app: App, files: FileServer) -> AsyncIterator[Wire]:
    """With a deployment whose function has made a file."""
    serve_modules(files)
    url = app.addresses()["http"]
    steps = [Step.of(url, MODULE, function) for function in MODULE.functions]
    manifest = make_manifests(DEPLOYMENT, files.origin, steps)[url]
    for instruction in manifest["instructions"]["modules"]["bytes"].values():
        instruction["to"] = None
    await app.deployer.deploy(manifest)
    wire = Wire(url)
    assert await invert(wire) == b"\x00"
    yield wire
    assert await invert(wire) == b"\x00"


@pytest.fixture
def decoy(app: App, tmp_path: Path) -> Iterator[Decoy]:
    """Nothing in it, nor in the servient's folders for modules, is touched by the test."""
    decoy = Decoy.plant(tmp_path, app.config.instance_path)
    modules = app.config.instance_path / "modules"
    before = snapshot(decoy.folder), snapshot(modules).keys()
    yield decoy
    assert (snapshot(decoy.folder), snapshot(modules).keys()) == before


def form(name: str, body: bytes, filename: str = "blob") -> tuple[bytes, str]:
    """A form with one file, its names written as they are, and its Content-Type."""
    head = f'--limit\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"'
    text = head.encode("utf-8", "surrogatepass") + b"\r\n\r\n" + body + b"\r\n--limit--\r\n"
    return text, "Content-Type: multipart/form-data; boundary=limit"


async def invert(wire: Wire) -> bytes:
    """The file that the deployed function makes of one byte."""
    status, answer = await wire.send("POST", FUNCTION, *form("image.jpeg", b"\xff"))
    assert status == 200, answer
    document = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert document["result"] == [None, ["result.jpeg"]], document
    link = document["resultUrl"].partition(wire.host)[2].partition("/")[2]
    _, answer = await wire.send("GET", f"/{link}")
    output = json.loads(answer.partition(b"\r\n\r\n")[2])["outputs"][0]
    _, answer = await wire.send("GET", "/" + output.removeprefix("http://").partition("/")[2])
    return answer.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("route", ROUTES)
async def test_every_segment_of_every_route(wire: Wire, decoy: Decoy, route: str) -> None:
    targets = {route.format(spelling) for text in decoy.texts() for spelling in spelled(text)}
    for target in sorted(targets):
        for method in ("GET", "POST", "DELETE"):
            if method == "POST" and target.strip("/") == "deploy":
                continue
            status, answer = await wire.send(method, target, b"{}" if method == "POST" else b"")
            assert status < 500, (method, target[:200], answer[:500])
            assert not leaks(answer), (method, target[:200], answer[:500])


async def test_names_in_forms(wire: Wire, decoy: Decoy) -> None:
    """A part with another name than the mount's is not looked at; a filename never is."""
    for text in decoy.texts():
        name = text.replace("\n", "%0A").replace("\r", "%0D").replace('"', "%22")
        for given in (form(name, b"x"), form("image.jpeg", b"\xff", name)):
            status, answer = await wire.send("POST", FUNCTION, *given)
            assert status == 200 or 400 <= status < 500, (text[:60], answer[:500])
            assert not leaks(answer)


@pytest.mark.parametrize(
    "header", ["Host", "X-Forwarded-For", "X-Chain-Step", "Content-Type", "Origin", "Accept"]
)
async def test_headers(wire: Wire, decoy: Decoy, header: str) -> None:
    for text in decoy.texts():
        value = text.replace("\n", " ").replace("\0", " ")
        for target in ("/health", FUNCTION, "/request-history"):
            method = "POST" if target == FUNCTION else "GET"
            status, answer = await wire.send(method, target, b"x", f"{header}: {value}")
            assert status < 500, (target, text[:60], answer[:500])
            assert not leaks(answer)


async def test_addresses_of_orchestrators(wire: Wire, decoy: Decoy) -> None:
    for text in decoy.texts():
        for body in ({"url": text}, {text: "http://127.0.0.1:9"}, text, [text]):
            status, answer = await wire.send("POST", "/register", json.dumps(body).encode())
            assert 400 <= status < 500, (body, answer[:500])
    status, answer = await wire.send("GET", "/health")
    assert status == 200
    assert b"orchestrator-set: true" not in answer.lower()

"""Where modules come from, and which ones may run."""

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import minisign
import pytest

from servient.app import App
from servient.config import Config, ConfigError
from servient.deployment.fetch import Fetcher
from servient.deployment.reach import Reach, parse_reach
from servient.errors import FetchFailed
from tests.files import FileServer

MODULE = "/counter/counter.wasm"
Settings = Callable[..., Config]


def reach(*entries: str, orchestrator: str | None = None) -> Reach:
    origins, networks = parse_reach(entries)
    return Reach(False, origins, networks, lambda: orchestrator)


async def fetch(url: str, allowed: Reach) -> bytes:
    async with Fetcher(allowed) as fetcher:
        return (await fetcher.fetch_all(frozenset({url}), frozenset()))[url]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """A name server: the addresses of each name, one after the other, the last one for ever."""
    answers: dict[str, list[str]] = {}

    async def getaddrinfo(_: Any, host: str, port: int, **__: Any) -> list[Any]:
        found = answers.get(host, [host])
        address = found.pop(0) if len(found) > 1 else found[0]
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in address.split()
        ]

    monkeypatch.setattr(asyncio.SelectorEventLoop, "getaddrinfo", getaddrinfo)
    return answers


async def test_only_what_is_listed_is_fetched(files: FileServer) -> None:
    url = files.origin + MODULE
    assert await fetch(url, reach(files.origin))
    assert await fetch(url, reach("127.0.0.0/8"))
    assert await fetch(url, reach(orchestrator=files.origin + "/api"))
    for refused in (reach(), reach("http://127.0.0.1:1"), reach("10.0.0.0/8"), reach("http://*:*")):
        with pytest.raises(FetchFailed):
            await fetch(url, refused)
    assert len(files.requests) == 3


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "169.254.169.254", "127.0.0.1", "192.168.1.1", "100.100.100.200", "0.0.0.0"],
)
async def test_a_pattern_leads_to_no_inner_address(
    address: str, names: dict[str, list[str]]
) -> None:
    names["evil.example.org"] = [address]
    with pytest.raises(FetchFailed, match="must not be fetched"):
        await fetch("http://evil.example.org/x.wasm", reach("http://*.example.org"))


async def test_a_listed_name_may_lead_inside_but_not_to_where_clouds_keep_secrets(
    files: FileServer, names: dict[str, list[str]]
) -> None:
    port = files.origin.rpartition(":")[2]
    origin = f"http://modules.test:{port}"
    names["modules.test"] = ["127.0.0.1"]
    assert await fetch(origin + MODULE, reach(origin))
    names["modules.test"] = ["169.254.169.254"]
    with pytest.raises(FetchFailed, match=r"169\.254\.169\.254"):
        await fetch(origin + MODULE, reach(origin))


async def test_a_name_is_looked_up_once_and_that_address_used(
    files: FileServer, names: dict[str, list[str]]
) -> None:
    """What is judged is what is connected to: a second answer would lead elsewhere."""
    port = files.origin.rpartition(":")[2]
    names["modules.test"] = ["127.0.0.1", "127.66.66.66"]
    allowed = reach("127.0.0.1/32")
    assert await fetch(f"http://modules.test:{port}{MODULE}", allowed)
    with pytest.raises(FetchFailed, match=r"127\.66\.66\.66"):
        await fetch(f"http://modules.test:{port}{MODULE}", allowed)


async def test_the_host_asked_for_is_the_name() -> None:
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        # Where localhost is ::1 first, nothing listens there.
        assert await fetch(f"http://localhost:{port}/x", reach(f"http://localhost:{port}")) == b"x"
    assert f"Host: localhost:{port}".encode() in heads[0]


@pytest.mark.parametrize("entry", ["ftp://a", "http://", "a.example", "http://a/b", "10.0.0.1/8"])
def test_a_list_that_cannot_be_understood_is_refused(entry: str, settings: Settings) -> None:
    with pytest.raises(ConfigError, match="module_origins"):
        App(settings(module_origins=entry))


@pytest.fixture
async def manifest(files: FileServer) -> AsyncIterator[dict[str, Any]]:
    yield files.manifest("counter/manifest.json", deploymentId="c")


async def deploy(app: App, manifest: dict[str, Any]) -> httpx.Response:
    async with httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30) as http:
        return await http.post("/deploy", json=manifest)


async def test_who_is_reached_from_beyond_fetches_from_the_orchestrator(
    settings: Settings, files: FileServer, manifest: dict[str, Any]
) -> None:
    beyond = settings(host="0.0.0.0", public_host="127.0.0.1", insecure=True, announce=False)
    async with App(beyond) as app:
        answer = await deploy(app, manifest)
        assert answer.status_code == 400
        assert "none of the origins" in answer.json()["error"]
        async with httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30) as http:
            assert (await http.post("/register", json={"url": files.origin})).is_success
        assert (await deploy(app, manifest)).status_code == 200


async def test_a_manifest_says_what_its_files_are(
    app: App, files: FileServer, manifest: dict[str, Any]
) -> None:
    files.files["/data"] = b"data"
    (module,) = manifest["modules"]
    module["urls"]["other"] = {"data": f"{files.origin}/data"}
    binary = await fetch(files.origin + MODULE, Reach(is_open=True))
    right, data = hashlib.sha256(binary).hexdigest(), hashlib.sha256(b"data").hexdigest()
    for wrong in (
        "0" * 64, {"binary": "0" * 64}, {"binary": right, "other": {"data": right}},
        {"other": {"nothing": data}}, "abc", {"else": right}, 5,
    ):  # fmt: skip
        module["sha256"] = wrong
        answer = await deploy(app, manifest)
        assert answer.status_code == 400, wrong
        assert "sha256" in answer.json()["error"].lower().replace("-", ""), answer.text
    for good in (right, right.upper(), {"binary": right, "other": {"data": data}}):
        module["sha256"] = good
        assert (await deploy(app, manifest)).status_code == 200


async def test_only_configured_modules_run(
    settings: Settings, files: FileServer, manifest: dict[str, Any]
) -> None:
    binary = await fetch(files.origin + MODULE, Reach(is_open=True))
    async with App(settings(module_digests=hashlib.sha256(binary).hexdigest())) as app:
        assert (await deploy(app, manifest)).status_code == 200
    async with App(settings(module_digests=("0" * 64,))) as app:
        assert list(app.deployer.lost) == ["c"]  # also what ran before
        answer = await deploy(app, manifest)
        assert "none of the modules that may run" in answer.json()["error"]


async def test_only_signed_modules_run(
    settings: Settings, files: FileServer, manifest: dict[str, Any]
) -> None:
    keys, others = minisign.KeyPair.generate(), minisign.KeyPair.generate()
    binary = await fetch(files.origin + MODULE, Reach(is_open=True))
    config = settings(module_public_keys=keys.public_key.to_base64().decode())
    async with App(config) as app:
        assert (await deploy(app, manifest)).status_code == 400  # no signature can be had
        for signature in (bytes(others.secret_key.sign(binary)), b"", b"\xff" * 300):
            files.files[f"{MODULE}.minisig"] = signature
            answer = await deploy(app, manifest)
            assert "not signed by a key" in answer.json()["error"]
        files.files[f"{MODULE}.minisig"] = bytes(keys.secret_key.sign(binary))
        assert (await deploy(app, manifest)).status_code == 200
    async with App(config) as app:
        assert [each.id for each in app.deployer] == ["c"]

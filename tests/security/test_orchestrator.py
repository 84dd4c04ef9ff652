"""An orchestrator without credentials, known by its address; and what is written down of deployments."""

import asyncio
import logging
from collections.abc import Callable

import httpx
import pytest

from converters.deployment import Endpoint
from servient.app import App
from servient.config import Config
from servient.deployment.handover import Handover
from servient.deployment.steps import Steps
from servient.security.orchestrator_address import ORCHESTRATOR, OrchestratorAddress
from tests.files import FileServer
from tests.security.people import PRINCIPALS, TOKENS, bearer

MANIFEST = "counter/manifest.json"
# Nobody's: a network for documentation (RFC 5737).
ELSEWHERE = "http://192.0.2.7:3000"


@pytest.mark.parametrize(
    ("url", "is_trusted"), [("http://127.0.0.1:3000", True), (ELSEWHERE, False)]
)
async def test_the_registered_orchestrator_needs_no_credentials(
    settings: Callable[..., Config], files: FileServer, url: str, is_trusted: bool
) -> None:
    config = settings(bindings=("http",), trust_orchestrator=True, orchestrator_url=url)
    async with App(config) as app, httpx.AsyncClient(base_url=app.addresses()["http"]) as client:
        deployed = await client.post("/deploy", json=files.manifest(MANIFEST, deploymentId="d"))
        assert deployed.status_code == (200 if is_trusted else 401)
        for path in ("/health", "/request-history", "/things/servient"):
            assert (await client.get(path)).status_code == (200 if is_trusted else 401)
        wrong = await client.get("/health", headers={"Authorization": "Bearer wrong"})
        assert wrong.status_code == 401
        public = (await client.get("/.well-known/wot")).json()
        assert public["securityDefinitions"] == {"address_sc": {"scheme": "auto"}}


async def test_an_orchestrator_is_known_by_every_address_of_its_name() -> None:
    urls: list[str | None] = ["http://localhost:3000"]
    address = OrchestratorAddress(lambda: urls[0])
    assert await address.principal("127.0.0.1") is ORCHESTRATOR
    assert await address.principal("::ffff:127.0.0.1") is ORCHESTRATOR
    assert await address.principal("127.0.0.2") is None
    assert await address.principal("") is None
    for urls[0] in (None, "", "http://nowhere.invalid", "http://192.0.2.7"):
        assert await address.principal("127.0.0.1") is None


async def test_deployments_and_registrations_are_written_down(
    settings: Callable[..., Config], files: FileServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "servient.audit")
    config = settings(bindings=("http",), principals=PRINCIPALS)
    async with App(config) as app, httpx.AsyncClient(base_url=app.addresses()["http"]) as client:
        headers = bearer("deployer")
        manifest = files.manifest(MANIFEST, deploymentId="d")
        await client.post("/deploy", json=manifest, headers=headers)
        await client.delete("/deploy/d", headers=headers)
        await client.delete("/deploy/d%0A%20none", headers=headers)
        registered = {"url": "http://user:hidden@127.0.0.1:3000"}
        await client.post("/register", json=registered, headers=headers)
    written = [record.getMessage() for record in caplog.records if record.name == "servient.audit"]
    assert written[:2] == [
        "deploy 'd' by 'deployer' from 127.0.0.1: done",
        "undeploy 'd' by 'deployer' from 127.0.0.1: done",
    ]
    assert all("\n" not in line and "hidden" not in line for line in written)
    assert written[-1].startswith("register '127.0.0.1' by 'deployer'")
    assert TOKENS["deployer"] not in caplog.text


async def test_a_token_is_shown_at_its_origin_alone() -> None:
    seen: list[bool] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(b"authorization: bearer secret" in head.lower())
        body = b'{"resultUrl": "http://x/y"}'
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        writer.write(head + body)
        writer.close()

    servers = [await asyncio.start_server(handle, "127.0.0.1", 0) for _ in range(2)]
    origins = [f"http://127.0.0.1:{each.sockets[0].getsockname()[1]}" for each in servers]
    async with Steps(tokens={origins[0]: "secret"}) as client:
        for origin in origins:
            endpoint = Endpoint("post", (), (), "", {}, origin, "/a")
            await client.call(f"{origin}/a", endpoint, Handover(), {})
    assert seen == [True, False]
    for server in servers:
        server.close()

"""How an orchestrator gets to know a servient, looks after it, and reads what it does."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from servient.app import App
from servient.config import Config
from tests.files import EXAMPLES, FileServer
from tests.orchestrator.server import Server
from tests.orchestrator.shapes import check_description, check_health

DEADLINE_SECONDS = 20.0
IS_SET = "custom-orchestrator-set"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """The server of an orchestrator that does nothing by itself."""

    async def registered(_: dict[str, Any]) -> None:
        pass

    server = Server(registered)
    async with server.running():
        yield server


@pytest.fixture
def configure(settings: Callable[..., Config]) -> Callable[..., Config]:
    def make(**changes: Any) -> Config:
        return settings(**{"bindings": ("http",), "name": "first", **changes})

    return make


@pytest.fixture
async def app(configure: Callable[..., Config]) -> AsyncIterator[App]:
    async with App(configure()) as running:
        yield running


@pytest.fixture
async def client(app: App) -> AsyncIterator[httpx.AsyncClient]:
    async with at(app) as opened:
        yield opened


def at(app: App) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=app.addresses()["http"], timeout=DEADLINE_SECONDS, trust_env=False
    )


async def messages(server: Server, last: str, count: int = 1) -> list[str]:
    """What was logged, once the last message has been so often."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while (found := [log["message"] for log in server.logs]).count(last) < count:
            await asyncio.sleep(0.01)
    assert not server.refused
    return found


# What the machine is and how it does


async def test_description(client: httpx.AsyncClient) -> None:
    answer = await client.get("/.well-known/wasmiot-device-description")
    assert answer.status_code == 200
    document = answer.json()
    check_description(document)
    assert document["platform"]["cpu"]["coreCount"] >= 1
    assert document["platform"]["cpu"]["humanReadableName"]
    assert "lo" in document["platform"]["network"]


async def test_every_import_that_is_served_is_listed_by_its_name(
    app: App, client: httpx.AsyncClient
) -> None:
    document = (await client.get("/.well-known/wasmiot-device-description")).json()
    names = document["supervisorInterfaces"]
    assert names == sorted(set(names))
    wanted = {"takeImageDynamicSize", "rpcCall", "millis", "clock_time_get", "fd_fdstat_get"}
    assert wanted <= set(names)


async def test_health(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health")
    assert answer.status_code == 200
    check_health(answer.json())
    assert answer.headers[IS_SET] == "false"


async def test_own_thing_description(app: App, client: httpx.AsyncClient) -> None:
    answer = await client.get("/.well-known/wot-thing-description")
    assert answer.headers["content-type"] == "application/td+json"
    assert answer.json() == (await client.get("/.well-known/wot")).json()


@pytest.mark.parametrize(
    "path",
    ["/health", "/.well-known/wasmiot-device-description", "/.well-known/wot-thing-description"],
)
async def test_two_slashes_and_pages_of_other_origins(client: httpx.AsyncClient, path: str) -> None:
    origin = str(client.base_url).rstrip("/")
    answer = await client.get(f"{origin}/{path}", headers={"Origin": "http://gui"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    preflight = await client.options(path, headers={"Origin": "http://gui"})
    assert "GET" in preflight.headers["access-control-allow-methods"]


# Its orchestrator


async def test_an_orchestrator_says_where_it_is(client: httpx.AsyncClient) -> None:
    twice = str(client.base_url).rstrip("/") + "//register"
    answer = await client.post(twice, json={"url": "http://127.0.0.1:9/", "more": None})
    assert (answer.status_code, answer.json()) == (200, {"status": "success"})
    assert (await client.get("/health")).headers[IS_SET] == "true"


async def test_it_is_known_after_a_restart(configure: Callable[..., Config]) -> None:
    async with App(configure()) as app, at(app) as client:
        await client.post("/register", json={"url": "http://127.0.0.1:9"})
    async with App(configure()) as app, at(app) as client:
        assert (await client.get("/health")).headers[IS_SET] == "true"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"url": null}',
        b'{"url": 5}',
        b'{"url": ""}',
        b'{"url": "ftp://a"}',
        b'{"url": "http://"}',
        b'{"url": "http://a\\r\\nX: y"}',
        b'{"url": "http://' + b"a" * 5000 + b'"}',
        b"\xff\xfe",
    ],
)
async def test_a_bad_registration_changes_nothing(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/register", content=body)
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert (await client.get("/health")).headers[IS_SET] == "false"


async def test_a_configured_orchestrator_is_registered_with(
    configure: Callable[..., Config], server: Server
) -> None:
    async with App(configure(orchestrator_url=server.origin)) as app:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not server.registrations:
                await asyncio.sleep(0.01)
        (registration,) = server.registrations
        assert registration["name"] == "first"
        assert registration["port"] == app.bindings["http"].port
        async with at(app) as client:
            assert (await client.get("/health")).headers[IS_SET] == "true"


# What it reads of what happens


async def test_deploying_and_running_are_told(
    configure: Callable[..., Config], server: Server, files: FileServer
) -> None:
    async with App(configure()) as app, at(app) as client:
        await client.post("/register", json={"url": server.origin})
        await client.get("/health")
        manifest = files.manifest("fibonacci/manifest.json", deploymentId="d1")
        assert (await client.post("/deploy", json=manifest)).status_code == 200
        answer = await client.get("/d1/modules/fibonacci/fibo", params={"iterations": 7})
        assert answer.json()["result"] == ["21", None]
        assert await messages(server, "Module run") == [
            "Health check done",
            "Deploying module 'fibonacci'",
            "Deployment created",
            "Preparing Wasm module 'fibonacci'",
            "Running Wasm function 'fibo'",
            "Execution result: 21",
            "Module run",
        ]
    last = server.logs[-1]
    assert last["request_id"] == answer.json()["resultUrl"].rpartition("/")[2]
    assert (last["deployment_id"], last["module_name"]) == ("d1", "fibonacci")
    assert (last["deviceName"], last["deviceIP"]) == ("first", "127.0.0.1")


async def test_a_failure_is_told(
    configure: Callable[..., Config], server: Server, files: FileServer
) -> None:
    settings = configure(orchestrator_url=server.origin, module_timeout_seconds=0.2)
    async with App(settings) as app, at(app) as client:
        manifest = files.manifest("endless/manifest.json", deploymentId="d1")
        assert (await client.post("/deploy", json=manifest)).status_code == 200
        module, functions = next(iter(manifest["endpoints"].items()))
        function = next(iter(functions))
        await client.get(f"/d1/modules/{module}/{function}")
        message = f"Error running WebAssembly function '{function}'"
        assert "Module run" not in await messages(server, message)
    assert server.logs[-1]["loglevel"] == "ERROR"


async def test_where_a_file_is_is_told(
    configure: Callable[..., Config], server: Server, files: FileServer
) -> None:
    async with App(configure(orchestrator_url=server.origin)) as app, at(app) as client:
        manifest = files.manifest("grayscale/manifest.json", deploymentId="d1")
        assert (await client.post("/deploy", json=manifest)).status_code == 200
        module, functions = next(iter(manifest["endpoints"].items()))
        function, endpoint = next(iter(functions.items()))
        picture = (EXAMPLES / "grayscale" / "image.ppm").read_bytes()
        (field,) = endpoint["request"]["request_body"]["schema"]["properties"]
        answer = await client.post(f"/d1/modules/{module}/{function}", files={field: picture})
        (name,) = answer.json()["result"][1]
        url = f"{answer.json()['resultUrl']}/{name}"
        assert f"Result url: {url}" in await messages(server, f"Result url: {url}")
        assert (await client.get(url)).status_code == 200


async def test_a_chain_that_breaks_is_told(
    configure: Callable[..., Config], server: Server, files: FileServer
) -> None:
    async with App(configure(orchestrator_url=server.origin)) as app, at(app) as client:
        manifest = files.manifest("fibonacci/manifest.json", deploymentId="d1")
        instruction = manifest["instructions"]["modules"]["fibonacci"]["fibo"]
        instruction["to"] = {**instruction["from"], "url": "http://127.0.0.1:9"}
        await client.post("/deploy", json=manifest)
        await client.get("/d1/modules/fibonacci/fibo", params={"iterations": 7})
        await messages(server, "Error running WebAssembly function 'fibo'")


async def test_simultaneous_runs_are_told_apart(
    configure: Callable[..., Config], server: Server, files: FileServer
) -> None:
    async with App(configure(orchestrator_url=server.origin)) as app, at(app) as client:
        manifest = files.manifest("fibonacci/manifest.json", deploymentId="d1")
        await client.post("/deploy", json=manifest)
        answers = await asyncio.gather(
            *(client.get("/d1/modules/fibonacci/fibo", params={"iterations": n}) for n in range(20))
        )
        await messages(server, "Module run", 20)
    told = {
        log["request_id"]: log["message"].removeprefix("Execution result: ")
        for log in server.logs
        if log["message"].startswith("Execution result")
    }
    answered = {a.json()["resultUrl"].rpartition("/")[2]: a.json()["result"][0] for a in answers}
    assert told == answered


async def test_logging_can_be_switched_off(
    configure: Callable[..., Config], server: Server
) -> None:
    settings = configure(orchestrator_url=server.origin, external_logging=False)
    async with App(settings) as app, at(app) as client:
        await client.get("/health")
        await asyncio.sleep(0.5)
    assert not server.logs


async def test_what_was_dropped_is_counted_for_everybody_to_see(
    app: App, client: httpx.AsyncClient
) -> None:
    await client.post("/register", json={"url": "http://127.0.0.1:9"})
    await client.get("/health")
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not (health := (await client.get("/things/servient/properties/health")).json())[
            "logs"
        ]["dropped"]:
            await asyncio.sleep(0.01)
    assert health["logs"] == {"sent": 0, "dropped": 1, "waiting": 0}


async def test_an_app_that_is_reached_by_another_name_says_its_address(
    configure: Callable[..., Config], server: Server
) -> None:
    name = f"named-{uuid.uuid4().hex[:8]}"
    settings = configure(name=name, public_host="localhost", orchestrator_url=server.origin)
    async with App(settings):
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not server.registrations:
                await asyncio.sleep(0.01)
    assert server.registrations[0]["addresses"] == ["127.0.0.1"]

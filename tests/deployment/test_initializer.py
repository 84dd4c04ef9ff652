"""What a module makes for itself when it is deployed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from servient.app import App
from tests.deployment.writer import (
    IDLE_INITIALIZER,
    INITIALIZER,
    TRAPPING_INITIALIZER,
    endpoint,
    manifest,
    mount,
    serve_writer,
)
from tests.files import FileServer

RUN = "/d/modules/writer"


@pytest.fixture
async def app(settings: Any) -> AsyncIterator[App]:
    async with App(settings(bindings="http")) as running:
        yield running


@pytest.fixture
async def http(app: App):  # type: ignore[no-untyped-def]  # an async generator of httpx's client
    async with httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30) as client:
        yield client


async def run(http: httpx.AsyncClient, function: str) -> str:
    """What a function returns."""
    answer = await http.post(f"{RUN}/{function}")
    text: str = answer.json()["result"][0]
    return text


IDENTITY = mount("identity", "deployment")
READERS = {"identity_size": endpoint(), "initialized": endpoint()}


@pytest.mark.parametrize("is_named", [True, False])
@pytest.mark.parametrize("kind", ["plain", "stateless", "isolated"])
async def test_an_initializer_runs_once_and_its_files_stay(
    is_named: bool, kind: str, files: FileServer, http: httpx.AsyncClient
) -> None:
    serve_writer(files, INITIALIZER)
    mounts = {"identity_size": [IDENTITY]}
    if is_named:
        mounts["_wasmiot_init"] = [mount("identity", "output")]
    document = manifest(files, READERS, mounts)
    document["modules"][0][kind] = True
    answer = await http.post("/deploy", json=document)
    assert answer.status_code == 200, answer.text
    for _ in range(3):
        assert await run(http, "identity_size") == "4"
        # What it left in memory, a fresh instance for each call does not have.
        assert await run(http, "initialized") == ("0" if kind == "stateless" else "1")
    assert "_wasmiot_init" not in (await http.get("/things/d:writer")).json()["actions"]
    assert (await http.post(f"{RUN}/_wasmiot_init")).status_code == 404


@pytest.mark.parametrize("kind", ["plain", "isolated"])
async def test_what_takes_the_place_of_a_trapped_instance_is_initialized_too(
    kind: str, files: FileServer, http: httpx.AsyncClient
) -> None:
    serve_writer(files, INITIALIZER)
    document = manifest(files, {**READERS, "trap": endpoint()}, {"identity_size": [IDENTITY]})
    document["modules"][0][kind] = True
    assert (await http.post("/deploy", json=document)).status_code == 200
    for generation in range(1, 3):
        assert (await http.post(f"{RUN}/trap")).json()["error"]
        assert await run(http, "initialized") == "1"
        assert await run(http, "identity_size") == "4"
        reading = await http.get("/things/d:writer/properties/generation")
        assert reading.json() == generation


async def test_calls_behind_a_trap_find_an_initialized_instance(
    files: FileServer, http: httpx.AsyncClient
) -> None:
    serve_writer(files, INITIALIZER)
    endpoints = {**READERS, "trap": endpoint()}
    mounts = {"identity_size": [IDENTITY]}
    assert (await http.post("/deploy", json=manifest(files, endpoints, mounts))).status_code == 200
    names = ["trap", "initialized"] * 4
    actions = "/things/d:writer/actions"
    answers = await asyncio.gather(*(http.post(f"{actions}/{name}") for name in names))
    assert [answer.json() for answer in answers[1::2]] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("initializer", "reason"),
    [
        (TRAPPING_INITIALIZER, "'_wasmiot_init' failed"),
        (IDLE_INITIALIZER, "'_wasmiot_init' wrote no file 'identity'"),
        ('(func (export "_wasmiot_init") (param i32))', "'_wasmiot_init' takes arguments"),
        ("", "exports no '_wasmiot_init'"),
    ],
)
async def test_an_initializer_that_fails_refuses_the_deployment(
    initializer: str, reason: str, app: App, files: FileServer, http: httpx.AsyncClient
) -> None:
    serve_writer(files, initializer)
    mounts = {"identity_size": [IDENTITY], "_wasmiot_init": [mount("identity", "output")]}
    answer = await http.post("/deploy", json=manifest(files, READERS, mounts))
    assert answer.status_code == 400, answer.text
    assert reason in answer.json()["error"]
    assert (await http.get("/deploy")).json() == {"deployments": []}
    assert list((app.config.instance_path / "modules").iterdir()) == []


async def test_a_file_of_the_deployment_that_nobody_brings_is_named(
    files: FileServer, http: httpx.AsyncClient
) -> None:
    serve_writer(files)
    document = manifest(files, READERS, {"identity_size": [IDENTITY]})
    answer = await http.post("/deploy", json=document)
    assert answer.status_code == 400
    assert "'identity' is not in `urls.other`" in answer.json()["error"]
    assert answer.json()["errors"][0]["pointer"] == "/mounts/writer/identity_size/deployment"
    files.files["/identity"] = b"12345"
    document["modules"][0]["urls"]["other"] = {"identity": f"{files.origin}/identity"}
    assert (await http.post("/deploy", json=document)).status_code == 200
    assert await run(http, "identity_size") == "5"

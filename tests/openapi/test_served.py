"""The OpenAPI document that a servient serves: it is valid, and what it describes holds."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate

from servient.app import App
from tests.files import FileServer

EXAMPLES = ("counter", "fibonacci", "grayscale", "greeter")
EXAMPLES_PER_OPERATION = 4
DEADLINE_SECONDS = 100
# They answer when there is something to tell, or never end.
NOTIFICATIONS = "(/observe|/events|/events/[^/]*)$"


@pytest.fixture
async def url(app: App, files: FileServer) -> str:
    for example in EXAMPLES:
        await app.deployer.deploy(files.manifest(f"{example}/manifest.json"))
    return app.addresses()["http"]


async def get_document(url: str) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=url) as http:
        answer = await http.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    document: dict[str, Any] = answer.json()
    return document


async def test_the_document_is_valid_and_complete(url: str) -> None:
    document = await get_document(url)
    await asyncio.to_thread(validate, document)
    paths = document["paths"]
    fibo = paths["/things/fibonacci-1:fibonacci/actions/fibo"]["post"]
    assert fibo["requestBody"]["content"]["application/json"]["schema"]["required"] == [
        "iterations"
    ]
    assert fibo["responses"]["200"]["content"]["application/json"]["schema"]["type"] == "integer"
    picture = paths["/things/grayscale-1:grayscale/actions/grayscale"]["post"]["requestBody"]
    assert {"multipart/form-data", "image/x-portable-pixmap"} < set(picture["content"])
    assert "post" in paths["/deploy"]
    async with httpx.AsyncClient(base_url=url) as http:
        things = (await http.get("/things")).json()
    for thing in things:
        for kind in ("properties", "actions", "events"):
            for affordance in thing[kind].values():
                for form in affordance["forms"]:
                    if form["href"].startswith("http"):
                        assert form["href"].removeprefix(url) in paths


async def test_nothing_that_is_sent_makes_the_servient_fail(url: str, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("schemathesis")), "--no-color", "run"),
        *(f"{url}/openapi.json", "--checks", "only_modules_fail", "--seed", "1", "--no-shrink"),
        *("--max-examples", str(EXAMPLES_PER_OPERATION), "--phases", "coverage,fuzzing"),
        *("--exclude-path-regex", NOTIFICATIONS, "--request-timeout", "20"),
        cwd=tmp_path,
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": "tests.openapi.hooks",
            "PYTHONPATH": str(Path.cwd()),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), DEADLINE_SECONDS)
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode == 0, said.decode()[-6000:]

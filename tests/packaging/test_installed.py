"""The wheel in a fresh environment, used from a folder that knows nothing of the checkout."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from servient.version import VERSION
from tests.files import FileServer
from tests.interop.programs import run

PATIENCE_SECONDS = 60.0


@pytest.fixture
async def addresses(installed: Path, tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """Those of `wasm-servient run` of the wheel."""
    process = await asyncio.create_subprocess_exec(
        *(str(installed / "wasm-servient"), "run", "--json"),
        *("--port", "0", "--coap-port", "0", "--mqtt-port", "0"),
        stdout=asyncio.subprocess.PIPE,
        cwd=tmp_path,
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_SECONDS)
        yield json.loads(line)
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)
    assert process.returncode == 0


async def test_it_deploys_and_invokes(addresses: dict[str, str], files: FileServer) -> None:
    assert set(addresses) == {"http", "websocket", "coap", "mqtt"}
    async with httpx.AsyncClient(base_url=addresses["http"], timeout=PATIENCE_SECONDS) as http:
        manifest = files.manifest("fibonacci/manifest.json")
        assert (await http.post("/deploy", json=manifest)).status_code == 200
        path = "/things/fibonacci-1:fibonacci/actions/fibo"
        assert (await http.post(path, json={"iterations": 7})).json() == 21
        for path in ("/.well-known/wot", "/vocabulary", "/openapi.json"):
            answer = await http.get(path)
            assert answer.status_code == 200, (path, answer.text)


async def test_its_page_has_all_that_it_asks_for(addresses: dict[str, str]) -> None:
    async with httpx.AsyncClient(base_url=addresses["http"], timeout=PATIENCE_SECONDS) as http:
        page = (await http.get("/", headers={"Accept": "text/html"})).text
        assets = set(re.findall(r'(?:href|src)="(/console/[^"]+)"', page))
        assert any(each.endswith("/app.js") for each in assets)
        answers = {each: (await http.get(each)).status_code for each in assets}
    assert set(answers.values()) == {200}, answers


@pytest.mark.parametrize("command", [("wasm-servient",), ("python", "-m", "servient")])
async def test_it_is_a_command_and_a_package(installed: Path, command: tuple[str, ...]) -> None:
    program, *rest = command
    ended = await run(str(installed / program), *rest, "--version")
    assert (ended.code, ended.text.strip()) == (0, VERSION)


async def test_an_emulation_finds_its_schema(installed: Path) -> None:
    ended = await run(str(installed / "wasm-servient"), "emulate", "schema")
    assert ended.code == 0, ended.text
    assert json.loads(ended.text)["type"] == "object"


async def test_every_requirement_fits_the_others(installed: Path) -> None:
    ended = await run(str(installed / "python"), "-m", "pip", "check")
    assert ended.code == 0, ended.text

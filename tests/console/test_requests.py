"""The requests that the page gives to copy are run as they stand, by those that they are for."""

import asyncio
import json
import os
import shlex
import sys
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from servient.app import App
from tests.console.browsing import EXAMPLES, Console
from tests.console.conftest import LOOP
from tests.console.deploying import local_manifest
from tests.interop.node_wot import FOLDER as NODE_WOT
from tests.interop.node_wot import node_with_packages
from tests.tools import needs

DEADLINE_SECONDS = 30.0
PICTURE = EXAMPLES / "grayscale/image.ppm"


@pytest_asyncio.fixture(scope="module", loop_scope=LOOP, autouse=True)
async def deployed(app: App) -> None:
    for example in ("fibonacci", "grayscale"):
        await app.deployer.deploy(local_manifest(example))


async def requests(seen: Console, thing: str, action: str) -> Locator:
    await seen.open("thing", thing)
    heading = seen.page.get_by_role("heading", name=action, exact=True)
    card = seen.page.locator("article.action").filter(has=heading)
    await card.get_by_role("button", name="Request").click()
    return card


async def text_for(card: Locator, consumer: str) -> str:
    await card.get_by_role("button", name=consumer, exact=True).click()
    return await card.get_by_label(f"Request for {consumer}").inner_text()


async def run(folder: Path, *command: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path.cwd()), "PATH": path_with_tools()},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(DEADLINE_SECONDS):
        output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output


def path_with_tools() -> str:
    """Also what pip has put beside this Python, such as aiocoap-client."""
    return f"{Path(sys.executable).parent}:{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("consumer", "program"), [("curl", "curl"), ("CoAP", "sh"), ("MQTT", "mosquitto_rr")]
)
async def test_a_command_gives_the_result(
    seen: Console, tmp_path: Path, consumer: str, program: str
) -> None:
    needs(program)
    card = await requests(seen, "fibonacci-1:fibonacci", "fibo")
    await card.get_by_role("spinbutton").fill("7")
    text = await text_for(card, consumer)
    await seen.shoot(f"request-{consumer}")
    first = text.split("\n")[0]  # of CoAP, the one for the client that is certain to be here
    assert (await run(tmp_path, "sh", "-c", first)).strip() == b"21"


@pytest.mark.parametrize(("consumer", "program"), [("curl", "curl"), ("CoAP", "sh")])
async def test_a_command_with_a_file_as_well(
    seen: Console, tmp_path: Path, consumer: str, program: str
) -> None:
    needs(program)
    card = await requests(seen, "grayscale-1:grayscale", "grayscale")
    await card.get_by_label("image.ppm").set_input_files(str(PICTURE))
    (tmp_path / PICTURE.name).write_bytes(PICTURE.read_bytes())
    text = await text_for(card, consumer)
    output = await run(tmp_path, "sh", "-c", text.split("\n")[0])
    kept = tmp_path / "grayscale.out"
    assert (kept.read_bytes() if kept.exists() else output).startswith(b"P5")


async def test_a_program_with_wotpy(seen: Console, tmp_path: Path) -> None:
    card = await requests(seen, "fibonacci-1:fibonacci", "fibo")
    await card.get_by_role("spinbutton").fill("7")
    (tmp_path / "program.py").write_text(await text_for(card, "WoTPy"))
    assert await run(tmp_path, sys.executable, "program.py") == b"21\n"


async def test_a_program_with_node_wot(seen: Console, tmp_path: Path) -> None:
    node = node_with_packages()
    card = await requests(seen, "fibonacci-1:fibonacci", "fibo")
    await card.get_by_role("spinbutton").fill("7")
    (tmp_path / "program.mjs").write_text(await text_for(card, "node-wot"))
    (tmp_path / "node_modules").symlink_to(NODE_WOT / "node_modules")
    assert (await run(tmp_path, node, "program.mjs")).strip().splitlines()[-1] == b"21"


async def test_words_of_a_thing_stay_words_of_a_command(
    seen: Console, app: App, tmp_path: Path
) -> None:
    name = "x'; touch stolen; '"
    thing = app.wot.produce(
        {
            "@context": ["https://www.w3.org/2022/wot/td/v1.1"],
            "title": "Quotes",
            "id": "urn:test:quotes",
            "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
            "security": ["nosec_sc"],
            "actions": {
                "say": {
                    "input": {
                        "type": "object",
                        "properties": {name: {"type": "string"}},
                        "required": [name],
                    },
                    "output": {"type": "object"},
                }
            },
        },
        name="quotes",
    )

    async def say(value: object) -> object:
        return value

    thing.set_action_handler("say", say)
    thing.expose()
    card = await requests(seen, "urn:test:quotes", "say")
    await card.get_by_role("textbox").fill("$(touch stolen) `touch stolen`")
    await expect(card.get_by_label("Request for curl")).to_contain_text("stolen")
    for consumer in ("curl", "MQTT", "CoAP"):
        command = (await text_for(card, consumer)).split("\n")[0]
        assert shlex.split(command)
        answer = json.loads(await run(tmp_path, "sh", "-c", command))
        assert answer == {name: "$(touch stolen) `touch stolen`"}
    assert not (tmp_path / "stolen").exists()


async def test_a_request_is_copied(seen: Console) -> None:
    await seen.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    card = await requests(seen, "fibonacci-1:fibonacci", "fibo")
    await card.get_by_role("button", name="Copy").click()
    await expect(card.get_by_role("button", name="Copied")).to_be_visible()
    copied = await seen.page.evaluate("navigator.clipboard.readText()")
    assert copied == await text_for(card, "curl")


async def test_a_description_is_kept_as_a_file(seen: Console, app: App, tmp_path: Path) -> None:
    await seen.open("thing", "fibonacci-1:fibonacci", "description")
    async with seen.page.expect_download() as download:
        await seen.page.get_by_role("button", name="Download").click()
    file = tmp_path / "fibonacci.td.json"
    await (await download.value).save_as(file)
    thing = app.servient.exposed("fibonacci-1:fibonacci")
    assert json.loads(file.read_text()) == app.servient.td(thing)

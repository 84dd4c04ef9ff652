"""Actions: a form for every schema, results as what they are, and an end to what takes too long."""

import base64
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest_asyncio
from playwright.async_api import Locator, expect

from servient.app import App
from servient.wot.content import Content
from servient.wot.thing import ExposedThing
from tests.console.browsing import DROP, Console
from tests.console.conftest import LOOP
from tests.console.deploying import local_manifest

TD: dict[str, Any] = {
    "@context": ["https://www.w3.org/2022/wot/td/v1.1"],
    "id": "urn:test:forms",
    "title": "Forms",
    "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
    "security": ["nosec_sc"],
    "actions": {
        "echo": {
            "input": {
                "type": "object",
                "properties": {
                    "whole": {"type": "integer", "minimum": 1, "maximum": 9},
                    "part": {"type": "number"},
                    "colour": {"type": "string", "enum": ["red", "green"]},
                    "is_on": {"type": "boolean"},
                    "word": {"type": "string"},
                    "list": {"type": "array", "items": {"type": "integer"}},
                    "inner": {
                        "type": "object",
                        "properties": {"deep": {"type": "string"}},
                        "required": ["deep"],
                    },
                    "either": {
                        "oneOf": [
                            {"title": "a number", "type": "number"},
                            {"title": "a text", "type": "string"},
                        ]
                    },
                    "anything": {},
                },
                "required": ["whole", "part", "colour", "is_on", "word", "list", "inner", "either"],
            },
            "output": {"type": "object"},
        },
        "big": {"input": {"type": "integer"}, "output": {"type": "string"}},
        "same": {"input": {"type": "integer"}, "output": {"type": "integer"}},
        "icon": {
            "output": {
                "type": "string",
                "contentEncoding": "base64",
                "contentMediaType": "image/png",
            }
        },
    },
}


@pytest_asyncio.fixture(scope="module", loop_scope=LOOP, autouse=True)
async def forms(app: App) -> ExposedThing:
    for example in ("grayscale", "endless", "wordcount"):
        await app.deployer.deploy(local_manifest(example))
    thing = app.wot.produce(TD, name="forms")

    async def echo(value: Any) -> Any:
        return value

    async def big(value: Any) -> Any:
        return str(value)

    async def icon(_: Any) -> Any:
        done, data = cv2.imencode(".png", np.full((8, 8, 3), 200, np.uint8))
        assert done
        return Content(data.tobytes(), "image/png")

    for name, handler in {"echo": echo, "same": echo, "big": big, "icon": icon}.items():
        thing.set_action_handler(name, handler)
    thing.expose()
    return thing


def card(seen: Console, action: str) -> Locator:
    heading = seen.page.get_by_role("heading", name=action, exact=True)
    return seen.page.locator("article.action").filter(has=heading)


async def test_every_kind_of_input_has_a_control(seen: Console) -> None:
    await seen.open("thing", "urn:test:forms")
    echo = card(seen, "echo")
    await echo.get_by_label("whole").fill("3")
    await echo.get_by_label("part").fill("0.5")
    await echo.get_by_label("colour").select_option(label="green")
    await echo.get_by_role("switch", name="is_on").check()
    await echo.get_by_label("word").fill("<b>bold</b>")
    for value in ("4", "5"):
        await echo.get_by_role("button", name="Add to list").click()
        await echo.get_by_role("spinbutton", name=f"list {int(value) - 3}").fill(value)
    await echo.get_by_label("deep").fill("down")
    await echo.get_by_label("Kind of either").select_option(label="a text")
    await echo.get_by_label("a text string").fill("words")
    await echo.get_by_label("anything").fill('{"a": [null, 1.5]}')
    await seen.shoot("form")
    await echo.get_by_role("button", name="Invoke").click()
    result = echo.locator(".invocation pre")
    for member in (
        '"whole": 3',
        '"part": 0.5',
        '"green"',
        "<b>bold</b>",
        '"deep": "down"',
        '"words"',
        "1.5",
    ):
        await expect(result).to_contain_text(member)


async def test_the_form_says_what_is_missing_or_out_of_range(seen: Console) -> None:
    await seen.open("thing", "urn:test:forms")
    echo = card(seen, "echo")
    await echo.get_by_label("whole").fill("12")
    await echo.get_by_role("button", name="Invoke").click()
    await expect(echo.locator("input:user-invalid").first).to_be_visible()
    await expect(echo.locator(".invocation")).to_have_count(0)


async def test_an_input_as_json_keeps_all_of_its_digits(seen: Console) -> None:
    await seen.open("thing", "urn:test:forms")
    big = card(seen, "big")
    await big.get_by_role("button", name="JSON").click()
    await big.get_by_label("Input as JSON").fill("9007199254740993")
    await big.get_by_role("button", name="Invoke").click()
    await expect(big.locator("output.scalar")).to_have_text("9007199254740993")


async def test_whole_numbers_keep_their_digits(seen: Console) -> None:
    """Those of 64 bits, which are more than a number of JavaScript has."""
    await seen.open("thing", "urn:test:forms")
    same = card(seen, "same")
    await same.get_by_role("spinbutton").fill("-9223372036854775807")
    await same.get_by_role("button", name="Request").click()
    await expect(same.get_by_label("Request for curl")).to_contain_text("-9223372036854775807")
    await same.get_by_role("button", name="Invoke").click()
    await expect(same.locator("output.scalar")).to_have_text("-9223372036854775807")


async def test_a_picture_is_shown_and_kept(seen: Console, tmp_path: Path) -> None:
    await seen.open("thing", "urn:test:forms")
    icon = card(seen, "icon")
    await icon.get_by_role("button", name="Invoke").click()
    await expect(icon.get_by_role("img", name="Picture: icon")).to_be_visible()
    async with seen.page.expect_download() as download:
        await icon.get_by_role("button", name="Download icon.png").click()
    file = tmp_path / "icon.png"
    await (await download.value).save_as(file)
    kept = cv2.imread(str(file))
    assert kept is not None
    assert kept.shape == (8, 8, 3)


async def test_a_colour_picture_becomes_a_grey_one(seen: Console, tmp_path: Path) -> None:
    """The module wants Netpbm, the person has a PNG."""
    colours = np.zeros((60, 80, 3), np.uint8)
    colours[:, :, 2] = np.linspace(0, 255, 80, dtype=np.uint8)
    colours[:, :, 0] = np.linspace(0, 255, 60, dtype=np.uint8)[:, None]
    cv2.imwrite(str(tmp_path / "colours.png"), colours)
    await seen.open("thing", "grayscale-1:grayscale")
    gray = card(seen, "grayscale")
    await gray.get_by_label("image.ppm").set_input_files(str(tmp_path / "colours.png"))
    await expect(gray.get_by_role("button", name="Remove")).to_be_visible()
    await expect(gray).to_contain_text("converted to image/x-portable-pixmap")
    await gray.get_by_role("button", name="Invoke").click()
    picture = gray.locator("canvas.picture")
    await expect(picture).to_be_visible()
    await expect(picture).to_have_js_property("width", 80)
    read = "(canvas) => [...canvas.getContext('2d').getImageData(79, 0, 1, 1).data]"
    red, green, blue, _ = await picture.evaluate(read)
    assert red == green == blue
    assert abs(red - 0.299 * 255) < 3
    await seen.shoot("grayscale")


async def test_a_long_invocation_is_cancelled(seen: Console, app: App) -> None:
    await seen.open("thing", "endless-1:endless")
    forever = card(seen, "forever")
    await forever.get_by_role("button", name="Invoke").click()
    await expect(forever.get_by_text("running", exact=True)).to_be_visible()
    await forever.get_by_role("button", name="Cancel").click()
    await expect(forever.get_by_text("cancelled", exact=True)).to_be_visible()
    [ended] = [each for each in app.servient.invocations if each.action == "forever"]
    assert ended.is_over


async def test_a_failure_is_told_in_the_words_of_the_servient(seen: Console) -> None:
    await seen.open("thing", "endless-1:endless")
    trap = card(seen, "trap")
    await trap.get_by_role("button", name="Invoke").click()
    await expect(trap.get_by_role("alert")).to_contain_text("Module trapped")
    await seen.shoot("failure")


async def test_what_a_program_prints_is_shown_with_its_invocation(seen: Console) -> None:
    await seen.open("thing", "wordcount-1:wordcount")
    start = card(seen, "_start")
    content = base64.b64encode(b"one two\nthree\n").decode()
    await seen.page.evaluate(DROP, [".action .drop", "any.name", content])
    await start.get_by_role("button", name="Invoke").click()
    printed = start.locator("details.printed")
    await expect(printed).to_contain_text("2 3 14 text.txt")
    await seen.open("invocations")
    await seen.page.get_by_role("button", name="Details of _start").first.click()
    await expect(seen.page.locator("details.printed")).to_contain_text("2 3 14 text.txt")
    await seen.shoot("invocations")


async def test_one_that_runs_is_cancelled_in_the_list(seen: Console, app: App) -> None:
    begun = await seen.page.request.post(
        f"{seen.origin}/things/endless-1:endless/actions/forever",
        headers={"Prefer": "respond-async"},
    )
    assert begun.status == 201
    await seen.open("invocations")
    await seen.page.get_by_role("button", name="Cancel forever").click()
    await expect(seen.page.get_by_role("button", name="Cancel forever")).to_be_hidden()
    assert all(each.is_over for each in app.servient.invocations)

"""Thing Descriptions, results and addresses that mean harm: all of it is text."""

from typing import Any

import pytest_asyncio
from playwright.async_api import Browser, Route, expect

from servient.app import App
from servient.wot.content import Content
from tests.console.browsing import Console, console
from tests.console.conftest import LOOP

SCRIPT = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" onload="document.title=\'owned\'">'
    b"<script>parent.document.title='owned'</script></svg>"
)

TD: dict[str, Any] = {
    "@context": ["https://www.w3.org/2022/wot/td/v1.1"],
    "id": "urn:test:hostile",
    "title": f"Hostile {SCRIPT}",
    "description": SCRIPT,
    "links": [{"href": "javascript:document.title='owned'", "rel": "item"}],
    "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
    "security": ["nosec_sc"],
    "properties": {
        "word": {
            "type": "string",
            "title": SCRIPT,
            "description": SCRIPT,
            "observable": True,
            "readOnly": True,
        }
    },
    "actions": {
        "say": {
            "title": SCRIPT,
            "description": SCRIPT,
            "input": {"type": "string", "title": SCRIPT, "enum": [SCRIPT, "${alert(1)}`"]},
            "output": {"type": "string"},
        },
        "draw": {
            "output": {
                "type": "string",
                "contentEncoding": "base64",
                "contentMediaType": "image/svg+xml",
            }
        },
        "away": {
            "forms": [
                {
                    "href": "http://127.0.0.1:1/steal",
                    "op": "invokeaction",
                    "contentType": "application/json",
                }
            ]
        },
    },
    "events": {"shout": {"title": SCRIPT, "data": {"type": "string"}}},
}


@pytest_asyncio.fixture(scope="module", loop_scope=LOOP, autouse=True)
async def hostile(app: App) -> Any:
    thing = app.wot.produce(TD, name="hostile")

    async def say(value: Any) -> Any:
        return value

    async def draw(_: Any) -> Any:
        return Content(SVG, "image/svg+xml")

    thing.set_action_handler("say", say)
    thing.set_action_handler("draw", draw)
    thing.set_property("word", SCRIPT)
    thing.expose()
    return thing


async def is_unharmed(seen: Console) -> bool:
    has_markup = "() => document.querySelector('main img[src=x], main script') !== null"
    return await seen.page.title() != "owned" and not await seen.page.evaluate(has_markup)


async def test_words_of_a_thing_are_text_in_every_view(seen: Console, hostile: Any) -> None:
    await seen.open("things")
    await expect(seen.page.get_by_role("heading", name="Hostile <img")).to_be_visible()
    assert await is_unharmed(seen)
    for tab in ("actions", "properties", "events", "invocations", "description"):
        await seen.open("thing", "urn:test:hostile", tab)
        await expect(seen.page.get_by_role("heading", level=1)).to_contain_text("<img src=x")
        if tab == "events":
            await expect(seen.page.get_by_text("live", exact=True)).to_be_visible()
            hostile.emit_event("shout", SCRIPT)
            await expect(seen.page.get_by_role("list", name="Events")).to_contain_text("<img src=x")
        assert await is_unharmed(seen)
    assert await seen.page.locator("a[href^=javascript]").count() == 0


async def test_what_an_action_gives_is_text_or_a_picture(seen: Console) -> None:
    await seen.open("thing", "urn:test:hostile")
    say, draw = (seen.page.locator("article.action").nth(index) for index in (0, 1))
    await say.get_by_role("combobox").select_option(index=1)
    await say.get_by_role("button", name="Request").click()
    await say.get_by_role("button", name="Invoke").click()
    await expect(say.locator("output.scalar")).to_have_text(SCRIPT)
    await draw.get_by_role("button", name="Invoke").click()
    await expect(draw.get_by_role("img", name="Picture: draw")).to_be_attached()
    assert await is_unharmed(seen)


async def test_no_form_leads_to_another_origin(seen: Console) -> None:
    """The page offers what the servient itself serves; `Console.check` sees that nobody else is asked."""
    await seen.open("thing", "urn:test:hostile")
    away = seen.page.locator("article.action").nth(2)
    if await away.get_by_role("button", name="Invoke").count():
        await away.get_by_role("button", name="Invoke").click()
        await expect(away.locator(".badge")).to_have_text("failed")


BROKEN: dict[str, Any] = {
    "id": "urn:test:broken",
    "title": 7,
    "description": ["x"],
    "securityDefinitions": None,
    "forms": 3,
    "properties": {
        "a": None,
        "b": {"type": ["x"], "forms": [None, {"href": 7, "op": "readproperty"}]},
    },
    "actions": {
        "c": None,
        "d": {"input": None, "output": 4},
        "__proto__": {"input": {"type": "object", "properties": {"constructor": None, "x": []}}},
    },
    "events": {"e": None},
}


async def test_a_description_that_is_none_breaks_nothing(seen: Console) -> None:
    """As of a servient that is not ours, behind the same address."""

    async def answer(route: Route) -> None:
        await route.fulfill(json=BROKEN)

    await seen.page.route("**/things/urn%3Atest%3Abroken", answer)
    for tab in ("actions", "properties", "events", "invocations", "description"):
        await seen.open("thing", "urn:test:broken", tab)
        await expect(seen.page.get_by_role("heading", level=1)).to_have_text("urn:test:broken")
    await seen.open("things")
    await expect(seen.page.get_by_text("2 Things")).to_be_visible()


async def test_another_name_of_the_servient_is_the_servient(browser: Browser, app: App) -> None:
    """Forms name the one; the page asks at the one in the address bar."""
    async with console(browser, app, host="localhost") as seen:
        await seen.open("thing", "urn:test:hostile", "properties")
        await expect(seen.page.get_by_text("live", exact=True)).to_be_visible()
        await expect(seen.page.locator("li.property strong")).to_contain_text("<img src=x")


async def test_the_policy_stops_what_would_slip_through(seen: Console) -> None:
    await seen.open("things")
    refused = await seen.page.evaluate(
        """() => {
            try {
                document.body.innerHTML = "<img src=x onerror=\\"document.title='owned'\\">";
                return "taken";
            } catch (error) {
                return error.name;
            }
        }"""
    )
    assert refused == "TypeError"
    assert any("TrustedHTML" in text for text in seen.complaints)
    seen.complaints.clear()


async def test_an_address_that_means_nothing_is_harmless(seen: Console) -> None:
    for place in (
        "#/thing/%E0%A4%A",
        "#/<script>",
        "#/thing/../../x?tab=__proto__",
        "#/constructor",
    ):
        await seen.page.goto("about:blank")
        await seen.page.goto(f"{seen.origin}/{place}")
        await seen.page.get_by_role("heading", level=1).wait_for()
        assert await is_unharmed(seen)

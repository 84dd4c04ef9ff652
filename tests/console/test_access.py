"""Who may see what: logging in, being refused, and what strangers learn."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest_asyncio
from playwright.async_api import Browser, expect

from servient.app import App
from tests.console.browsing import Console, console
from tests.console.conftest import LOOP, config_in
from tests.console.deploying import local_manifest
from tests.security.people import PASSWORD, PRINCIPALS, TOKENS, basic


@pytest_asyncio.fixture(scope="module", loop_scope=LOOP)
async def app(tmp_path_factory: object) -> AsyncIterator[App]:
    folder: Path = tmp_path_factory.mktemp("access")  # type: ignore[attr-defined]
    config = config_in(folder, principals=PRINCIPALS, bindings=("http", "websocket"))
    async with App(config) as running:
        await running.deployer.deploy(local_manifest("counter"))
        yield running


async def log_in(seen: Console, token: str) -> None:
    dialog = seen.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Log in")
    await dialog.get_by_label("Token", exact=True).fill(token)
    await dialog.get_by_role("button", name="Log in").click()


async def test_who_is_not_known_is_asked(seen: Console) -> None:
    await seen.open()
    await expect(seen.page.get_by_role("dialog")).to_be_visible()
    await seen.shoot("login")
    assert await seen.page.locator(".thing-card").count() == 0
    await log_in(seen, "wrong")
    await expect(seen.page.get_by_role("dialog").get_by_role("alert")).to_contain_text(
        "Unauthorized"
    )
    await log_in(seen, TOKENS["admin"])
    await expect(seen.page.get_by_role("dialog")).to_be_hidden()
    await expect(seen.page.get_by_role("heading", name="counter")).to_be_visible()
    await expect(seen.page.get_by_text("live", exact=True)).to_be_visible()


async def test_a_token_is_kept_for_the_tab_and_can_be_dropped(seen: Console) -> None:
    await seen.open()
    await log_in(seen, TOKENS["reader"])
    await expect(seen.page.get_by_role("heading", name="counter")).to_be_visible()
    await seen.page.reload()
    await expect(seen.page.get_by_role("heading", name="counter")).to_be_visible()
    kept = await seen.page.evaluate("[localStorage.length, document.cookie]")
    assert kept == [0, ""]
    await seen.page.get_by_role("button", name="Log out").click()
    await expect(seen.page.get_by_role("dialog")).to_be_visible()
    await expect(seen.page.get_by_role("heading", name="counter")).to_be_hidden()


async def test_what_one_may_not_do_is_refused_and_said(seen: Console) -> None:
    await seen.open("thing", "counter-1:counter")
    await log_in(seen, TOKENS["reader"])
    card = seen.page.locator("article.action").filter(has_text="Add one")
    await card.get_by_role("button", name="Invoke").click()
    await expect(card.get_by_role("alert")).to_contain_text("Forbidden")
    await expect(seen.page.get_by_role("dialog")).to_be_hidden()


async def test_a_token_that_holds_no_more_is_asked_for_again(seen: Console) -> None:
    await seen.open()
    stale = {"name": "token", "authorization": "Bearer stale"}
    await seen.page.evaluate(
        "(known) => sessionStorage.setItem('credentials', known)", json.dumps(stale)
    )
    await seen.page.reload()
    await expect(seen.page.get_by_role("dialog")).to_contain_text("Log in again")
    assert await seen.page.evaluate("sessionStorage.getItem('credentials')") is None
    await log_in(seen, TOKENS["reader"])
    await expect(seen.page.get_by_role("heading", name="counter")).to_be_visible()


async def test_a_name_and_a_password_do_as_well(seen: Console) -> None:
    await seen.open()
    dialog = seen.page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Name and password").click()
    await dialog.get_by_label("Name", exact=True).fill("bob")
    await dialog.get_by_label("Password", exact=True).fill(PASSWORD)
    await dialog.get_by_role("button", name="Log in").click()
    await expect(seen.page.get_by_role("heading", name="counter")).to_be_visible()


async def test_strangers_learn_nothing_from_the_document(app: App) -> None:
    async with httpx.AsyncClient(base_url=app.addresses()["http"]) as http:
        stranger = await http.get("/")
        assert stranger.status_code == 200
        assert "counter" not in stranger.text
        assert 'href="/?login"' in stranger.text
        asked = await http.get("/?login")
        assert asked.status_code == 401
        assert "Basic" in asked.headers["www-authenticate"]
        assert "counter" in (await http.get("/", headers=basic("bob", PASSWORD))).text


async def test_without_scripts_the_browser_asks(browser: Browser, app: App) -> None:
    known = {"username": "bob", "password": PASSWORD}
    async with console(browser, app, java_script_enabled=False, http_credentials=known) as seen:
        await seen.page.goto(f"{seen.origin}/?login")
        await expect(seen.page.get_by_role("link", name="counter")).to_be_visible()

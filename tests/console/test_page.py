"""The document and its files: small, cached, and readable without scripts."""

import gzip
import re
from collections.abc import AsyncIterator

import httpx
import pytest_asyncio
from playwright.async_api import Browser, expect

from servient.app import App
from servient.console.page import LIST_LIMIT
from tests.console.browsing import PHONE, Console, console
from tests.console.conftest import LOOP
from tests.things import expose_lamp

# What the whole page may weigh, on the wire.
FIRST_LOAD_LIMIT_BYTES = 300_000


@pytest_asyncio.fixture(loop_scope=LOOP)
async def http(app: App) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=app.addresses()["http"]) as client:
        yield client


async def test_nothing_but_its_own_files_may_run(http: httpx.AsyncClient) -> None:
    answer = await http.get("/", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    for directive in ("default-src 'none'", "script-src 'self'", "connect-src 'self'"):
        assert directive in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=", answer.text)


async def test_files_are_kept_for_ever_and_the_document_is_asked_for(
    http: httpx.AsyncClient,
) -> None:
    page = await http.get("/")
    assert "no-cache" in page.headers["cache-control"]
    again = await http.get("/", headers={"If-None-Match": page.headers["etag"]})
    assert again.status_code == 304
    for path in re.findall(r'(?:href|src)="(/console/[^"]+)"', page.text):
        file = await http.get(path)
        assert file.status_code == 200, path
        assert "immutable" in file.headers["cache-control"]
        assert file.headers["content-encoding"] == "gzip"
        known = await http.get(path, headers={"If-None-Match": file.headers["etag"]})
        assert (known.status_code, known.content) == (304, b"")


async def test_who_takes_no_gzip_gets_none(http: httpx.AsyncClient) -> None:
    for path in ("/", re.findall(r'src="(/console/[^"]+)"', (await http.get("/")).text)[0]):
        plain = await http.get(path, headers={"Accept-Encoding": "identity"})
        packed = await http.get(path)
        assert "content-encoding" not in plain.headers
        assert plain.content == packed.content
        assert (
            int(packed.headers["content-length"]) == len(gzip.compress(plain.content))
            or path == "/"
        )


async def test_other_paths_are_nobodys(http: httpx.AsyncClient) -> None:
    for path in ("/console", "/console/", "/console/x/app.js", "/console/../app.py", "/index.html"):
        assert (await http.get(path)).status_code == 404
    assert (await http.get("/", headers={"Accept": "application/json"})).status_code == 406
    assert (await http.post("/")).status_code == 405
    assert (await http.get("/?offset=x")).status_code == 400


async def test_the_first_load_is_small(seen: Console) -> None:
    await seen.open()
    await expect(seen.page.get_by_text("live", exact=True)).to_be_visible()
    entries = "() => performance.getEntriesByType('resource').map((each) => each.transferSize)"
    sizes: list[int] = await seen.page.evaluate(entries)
    assert len(sizes) > 10
    assert sum(sizes) < FIRST_LOAD_LIMIT_BYTES
    assert len({url for url in seen.requests if "/console/" in url}) < 100


async def test_things_are_listed_without_scripts(browser: Browser, app: App) -> None:
    expose_lamp(app.wot)
    async with console(browser, app, java_script_enabled=False, viewport=PHONE) as seen:
        await seen.page.goto(f"{seen.origin}/")
        lamp = seen.page.get_by_role("link", name="Lamp lamp:1")
        await expect(lamp).to_be_visible()
        counts = seen.page.locator("small").first
        await expect(counts).to_have_text("5 properties, 4 actions, 3 events")
        await seen.shoot("no-script")
        await lamp.click()
        assert seen.page.url == f"{seen.origin}/things/lamp:1"


async def test_a_long_list_comes_in_pages(http: httpx.AsyncClient, app: App) -> None:
    lamps = [expose_lamp(app.wot, f"lamp-{number:03}") for number in range(LIST_LIMIT)]
    first = (await http.get("/")).text
    assert first.count("<li>") == LIST_LIMIT
    following = re.search(r'<a href="(/\?offset=\d+)">Next</a>', first)
    assert following is not None
    second = (await http.get(following[1])).text
    assert second.count("<li>") == 2
    assert ">Previous</a>" in second
    for lamp in lamps:
        lamp.destroy()


async def test_a_search_looks_at_all_of_them(seen: Console, app: App) -> None:
    lamps = [expose_lamp(app.wot, f"lamp-{number:03}") for number in range(150)]
    await seen.open("things")
    await expect(seen.page.get_by_text("152 Things")).to_be_visible()
    assert await seen.page.locator(".thing-card").count() < 150
    await seen.page.get_by_role("searchbox").fill("lamp-149")
    await expect(seen.page.get_by_text("1 found of 152")).to_be_visible()
    await seen.page.get_by_role("searchbox").fill("")
    card = seen.page.get_by_role("heading", name="Lamp lamp-149")
    while not await card.count():
        await seen.page.mouse.wheel(0, 4000)
        await seen.page.wait_for_timeout(20)
    for lamp in lamps:
        lamp.destroy()

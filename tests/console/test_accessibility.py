"""Everybody can use it: axe finds nothing serious, keys suffice, and it fits on a phone."""

from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from servient.app import App
from tests.console.browsing import PHONE, Console, axe, console
from tests.console.conftest import LOOP
from tests.console.deploying import local_manifest

VIEWS: dict[str, tuple[str, ...]] = {
    "things": ("things",),
    "actions": ("thing", "greeter-1:greeter"),
    "properties": ("thing", "fibonacci-1:fibonacci", "properties"),
    "events": ("thing", "fibonacci-1:fibonacci", "events"),
    "thing-invocations": ("thing", "fibonacci-1:fibonacci", "invocations"),
    "description": ("thing", "fibonacci-1:fibonacci", "description"),
    "invocations": ("invocations",),
    "deployments": ("deployments",),
    "health": ("health",),
}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": PHONE, "is_mobile": True, "has_touch": True},
}


@pytest_asyncio.fixture(scope="module", loop_scope=LOOP, autouse=True)
async def deployed(app: App) -> None:
    for example in ("fibonacci", "grayscale"):
        await app.deployer.deploy(local_manifest(example))
    greeter = local_manifest("greeter")
    await app.deployer.deploy({**greeter, "deploymentId": "greeter-1"})


async def fill(seen: Console) -> None:
    """Something to see in each view."""
    url = f"{seen.origin}/things/fibonacci-1:fibonacci/actions/fibo"
    for iterations in (3, 12):
        await seen.page.request.post(url, data={"iterations": iterations})


@pytest.mark.parametrize("look", LOOKS)
async def test_no_view_has_a_serious_fault(browser: Browser, app: App, look: str) -> None:
    source = axe()
    async with console(browser, app, **LOOKS[look]) as seen:
        await fill(seen)
        titles: set[str] = set()
        for name, place in VIEWS.items():
            await seen.open(*place)
            await expect(seen.page.get_by_text("live", exact=True)).to_be_visible()
            assert await faults(seen, source) == []
            assert await overflow(seen) <= 0, f"{name} scrolls sideways"
            await seen.shoot(f"{name}-{look}")
            titles.add(await seen.page.title())
    assert len(titles) == 6  # one for each view and each Thing


async def faults(seen: Console, source: str) -> list[str]:
    """Rules that are broken seriously, and where."""
    # Through the debugger: the page's policy would not let it in.
    await seen.page.evaluate(source)
    found = await seen.page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {[node['html'] for node in each['nodes']]}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]


async def overflow(seen: Console) -> int:
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    width: int = await seen.page.evaluate(wide)
    return width


async def test_keys_suffice(seen: Console) -> None:
    page = seen.page
    await seen.open("things")
    await expect(page.get_by_role("heading", name="fibonacci")).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.type("fibo_rec")
    await expect(page.get_by_text("1 found")).to_be_visible()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("fibonacci")
    field = page.get_by_role("form", name="Invoke fibo", exact=True).get_by_role("spinbutton")
    for _ in range(20):
        await page.keyboard.press("Tab")
        if await field.evaluate("(each) => each === document.activeElement"):
            break
    await page.keyboard.type("7")
    await page.keyboard.press("Enter")
    await expect(page.locator("output.scalar")).to_have_text("21")
    shown = "() => getComputedStyle(document.activeElement).outlineStyle"
    assert await page.evaluate(shown) != "none"

"""The console in a browser, as a person uses it; whatever it does wrong on the way is kept."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from servient.app import App
from tests.tools import needs

FOLDER = Path(__file__).parent
SCREENSHOTS = FOLDER / "screenshots"
AXE = FOLDER / "node_modules/axe-core/axe.min.js"
EXAMPLES = FOLDER.parent.parent / "examples"
DEADLINE_MS = 20_000
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
# A browser says so of every answer that is a refusal, which the page shows.
REFUSED = "Failed to load resource"

# Files that are dropped rather than chosen.
DROP = """async ([selector, name, content]) => {
    const bytes = Uint8Array.from(atob(content), (each) => each.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name));
    const target = document.querySelector(selector);
    for (const type of ["dragover", "drop"]) {
        target.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
    }
}"""

expect.set_options(timeout=DEADLINE_MS)


@dataclass(frozen=True, slots=True)
class Console:
    """The page, and what was noticed of it."""

    page: Page
    origin: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    async def open(self, view: str = "", name: str = "", tab: str = "") -> None:
        parts = [view, quote(name, safe="")] if name else [view]
        query = f"?tab={tab}" if tab else ""
        await self.page.goto(f"{self.origin}/#/{'/'.join(parts)}{query}")
        await self.page.get_by_role("heading", level=1).wait_for()

    async def shoot(self, name: str) -> None:
        """Keep a picture of what is seen."""
        await self.page.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled")

    def check(self) -> None:
        """Nobody else was asked for anything, and no script or policy complained."""
        elsewhere = [url for url in self.requests if not url.startswith((self.origin, "blob:"))]
        assert elsewhere == []
        assert self.complaints == []


def complaint(message: ConsoleMessage) -> list[str]:
    """What a browser's console says that must not be there."""
    is_one = message.type in ("error", "warning") and not message.text.startswith(REFUSED)
    return [message.text] if is_one else []


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Debian's; playwright brings none."""
    program = needs("chromium")
    async with async_playwright() as playwright:
        # Chromium has no sandbox for root, as whom containers run their tests.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = await playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        await browser.close()


@contextlib.asynccontextmanager
async def console(
    browser: Browser, app: App, *, host: str = "127.0.0.1", **options: Any
) -> AsyncIterator[Console]:
    """A browser's window of its own on a servient's page; `options` are playwright's for a context."""
    context = await browser.new_context(**{"viewport": DESKTOP, "color_scheme": "light", **options})
    page = await context.new_page()
    page.set_default_timeout(DEADLINE_MS)
    url = urlsplit(app.addresses()["http"])
    seen = Console(page, f"{url.scheme}://{host}:{url.port}")
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("console", lambda message: seen.complaints.extend(complaint(message)))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    try:
        yield seen
        seen.check()
    finally:
        await context.close()


async def until(claim: Any) -> None:
    """Wait until a claim holds."""
    async with asyncio.timeout(DEADLINE_MS / 1000):
        while not claim():
            await asyncio.sleep(0.02)


def axe() -> str:
    """The source of axe; without it the test is skipped, or fails where CI=true."""
    if not AXE.is_file():
        reason = f"no axe: npm ci --prefix {FOLDER}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return AXE.read_text()

"""How the console's page stands up to many Things, and to properties that change all the time.

    python -m benchmarks.console [--things 1000] [--properties 100] [--updates 10] [--seconds 10]

In Chromium, against a servient in this process: how long the page takes to load and a search over all
Things to answer; then, while each property of one Thing changes `--updates` times a second, how long
frames and keystrokes take and how much of the time the page's thread is busy.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright

from servient.app import App
from servient.config import Config
from servient.wot.thing import ExposedThing

HEAD: dict[str, Any] = {
    "@context": ["https://www.w3.org/2022/wot/td/v1.1"],
    "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
    "security": ["nosec_sc"],
}
NUMBER = {"type": "number", "observable": True, "readOnly": True}
SETTLE_SECONDS = 2.0

# What the page's thread was busy with, from before the page's own scripts.
WATCH = """
globalThis.seen = { long: [], frames: [], inputs: [] };
const watch = (type, take, more) => new PerformanceObserver((list) => list.getEntries().forEach(take))
    .observe({ type, buffered: true, ...more });
watch("longtask", (entry) => seen.long.push(entry.duration));
watch("event", (entry) => seen.inputs.push(entry.duration), { durationThreshold: 16 });
let last = performance.now();
requestAnimationFrame(function look(now) {
    seen.frames.push(now - last);
    last = now;
    requestAnimationFrame(look);
});
"""
FORGET = "() => { seen.long = []; seen.frames = []; seen.inputs = []; }"
LOADED = """() => ({
    ms: performance.now(),
    bytes: performance.getEntriesByType("resource").reduce((sum, each) => sum + each.transferSize, 0),
    files: performance.getEntriesByType("resource").length,
})"""


async def main() -> None:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="console-benchmark-") as folder:
        config = Config(  # type: ignore[call-arg] # the other settings have defaults
            port=0, bindings=("http",), instance_path=Path(folder), external_logging=False
        )
        async with App(config) as app, page_of(app) as page:
            report = await measure(app, page, arguments)
    print(json.dumps(report, indent=2))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--things", type=int, default=1000)
    parser.add_argument("--properties", type=int, default=100)
    parser.add_argument("--updates", type=float, default=10, help="a second, of each property")
    parser.add_argument("--seconds", type=float, default=10)
    return parser.parse_args()


@contextlib.asynccontextmanager
async def page_of(app: App) -> AsyncIterator[Page]:
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        program = shutil.which("chromium")
        browser = await playwright.chromium.launch(executable_path=program, args=arguments)
        page = await browser.new_page(base_url=app.addresses()["http"])
        await page.add_init_script(WATCH)
        yield page
        await browser.close()


async def measure(app: App, page: Page, arguments: argparse.Namespace) -> dict[str, Any]:
    await page.goto("/")
    await page.get_by_text("1 Thing", exact=True).wait_for()
    first = await page.evaluate(LOADED)
    board = expose(app, arguments.things, arguments.properties)
    return {
        "load": first,
        "load with all Things": await load(page, arguments.things + 1),
        "search": await search(page, arguments.things),
        "updates": await update(page, board, arguments),
    }


def expose(app: App, things: int, properties: int) -> ExposedThing:
    """So many Things, and the last of them with so many properties."""
    names = [f"p{number:03}" for number in range(properties)]
    for number in range(things):
        is_last = number == things - 1
        td = {
            **HEAD,
            "id": f"urn:bench:{number}",
            "title": f"Thing {number:04}",
            "description": "One of many Things, with a few affordances of its own.",
            "properties": dict.fromkeys(names if is_last else names[:4], NUMBER),
            "actions": {
                "reset": {"description": "Begin anew."},
                "add": {"input": {"type": "number"}},
            },
        }
        thing = app.wot.produce(td, name=f"thing-{number}")
        thing.expose()
    return thing


async def load(page: Page, things: int) -> dict[str, Any]:
    await page.goto("about:blank")
    await page.goto("/")
    await page.get_by_text(f"{things} Things", exact=True).wait_for()
    return {**await page.evaluate(LOADED), **await busy(page)}


async def search(page: Page, things: int) -> dict[str, Any]:
    """From the last key to the answer, at first with most Things still to be fetched."""
    found = {}
    for which in ("first", "second"):
        await page.evaluate(FORGET)
        box = page.get_by_role("searchbox")
        await box.fill("")
        begun = time.perf_counter()
        await box.press_sequentially(f"thing {things - 2:04}", delay=30)
        await page.get_by_text(f"1 found of {things + 1}").wait_for()
        found[f"{which} ms"] = round((time.perf_counter() - begun) * 1000)
        found |= {f"{which} {name}": value for name, value in (await busy(page)).items()}
    return found


async def update(page: Page, board: ExposedThing, arguments: argparse.Namespace) -> dict[str, Any]:
    await page.goto(f"/#/thing/urn%3Abench%3A{arguments.things - 1}?tab=properties")
    await page.get_by_role("searchbox", name="Filter properties").wait_for()
    publishing = asyncio.create_task(publish(board, arguments), name="publish")
    await asyncio.sleep(SETTLE_SECONDS)
    await page.evaluate(FORGET)
    ends = time.perf_counter() + arguments.seconds
    while time.perf_counter() < ends:  # somebody types, and scrolls
        await page.get_by_role("searchbox").press("p")
        await page.mouse.wheel(0, 300)
        await asyncio.sleep(0.1)
        await page.get_by_role("searchbox").press("Backspace")
        await page.mouse.wheel(0, -300)
    result = await busy(page)
    sent = await publishing
    return {**result, "notifications a second": round(sent / (arguments.seconds + SETTLE_SECONDS))}


async def publish(board: ExposedThing, arguments: argparse.Namespace) -> int:
    """Change all properties again and again; returns how often one was changed."""
    sent, begun = 0, time.perf_counter()
    while (passed := time.perf_counter() - begun) < arguments.seconds + SETTLE_SECONDS:
        for number in range(arguments.properties):
            board.set_property(f"p{number:03}", (sent * 7919 + number) % 1000 / 10)
            sent += 1
        rounds = sent / arguments.properties
        await asyncio.sleep(max(0.0, rounds / arguments.updates - passed))
    return sent


async def busy(page: Page) -> dict[str, Any]:
    """Frames, long tasks and inputs since the last look, in milliseconds."""
    seen = await page.evaluate("() => seen")
    frames = sorted(seen["frames"]) or [0]
    return {
        "frames": len(frames),
        "frame p50 ms": round(frames[len(frames) // 2], 1),
        "frame p99 ms": round(frames[int(len(frames) * 0.99)], 1),
        "frame max ms": round(frames[-1], 1),
        "long tasks": len(seen["long"]),
        "longest task ms": round(max(seen["long"], default=0)),
        "slowest input ms": round(max(seen["inputs"], default=0)),
    }


if __name__ == "__main__":
    asyncio.run(main())

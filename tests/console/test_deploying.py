"""Deploying through the page: dropped modules, descriptions and manifests, and taking them away."""

import base64
import json
from pathlib import Path

from playwright.async_api import expect

from servient.app import App
from tests.console.browsing import DROP, EXAMPLES, Console

FIBONACCI = EXAMPLES / "fibonacci"


async def choose(seen: Console, *paths: Path) -> None:
    await seen.page.get_by_label("Files to deploy").set_input_files([str(path) for path in paths])


async def test_a_module_is_dropped_deployed_and_invoked(seen: Console) -> None:
    page = seen.page
    await seen.open("deployments")
    await expect(page.get_by_text("Nothing is deployed yet.")).to_be_visible()
    content = base64.b64encode((FIBONACCI / "fibonacci.wasm").read_bytes()).decode()
    await page.evaluate(DROP, [".drop.large", "fibonacci.wasm", content])
    await expect(page.get_by_label("Name of the deployment")).to_have_value("fibonacci")
    await seen.shoot("deploy")
    await page.get_by_role("button", name="Deploy", exact=True).click()
    await expect(page.get_by_text("Deployed fibonacci")).to_be_visible()
    await page.get_by_role("link", name="fibonacci:fibonacci").first.click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("fibonacci")
    form = page.get_by_role("form", name="Invoke fibo", exact=True)
    await form.get_by_role("spinbutton").fill("7")
    await form.get_by_role("button", name="Invoke").click()
    await expect(page.locator("output.scalar")).to_have_text("21")


async def test_a_description_comes_with_its_module(seen: Console) -> None:
    page = seen.page
    await seen.open("deployments")
    await choose(seen, FIBONACCI / "description.json")
    await expect(page.get_by_text("A description needs its module")).to_be_visible()
    await choose(seen, FIBONACCI / "fibonacci.wasm")
    await page.get_by_label("Name of the deployment").fill("described")
    await page.get_by_role("button", name="Deploy", exact=True).click()
    await expect(page.get_by_text("Deployed described")).to_be_visible()
    await page.get_by_role("link", name="described:fibonacci").first.click()
    await expect(page.get_by_text("The Fibonacci number after so many iterations")).to_be_visible()


async def test_a_large_module_is_sent_with_a_progress_bar(seen: Console) -> None:
    """A component, which describes itself; the bar is seen because the network is slow."""
    page = seen.page
    await seen.open("deployments")
    session = await page.context.new_cdp_session(page)
    conditions = {"offline": False, "latency": 0, "downloadThroughput": -1}
    await session.send("Network.enable")
    slow = {**conditions, "uploadThroughput": 8 * 2**20}
    await session.send("Network.emulateNetworkConditions", slow)
    await choose(seen, EXAMPLES / "greeter/greeter.wasm")
    await page.get_by_role("button", name="Deploy", exact=True).click()
    await expect(page.get_by_role("progressbar").first).to_be_visible()
    await seen.shoot("deploying")
    await expect(page.get_by_text("Deployed greeter")).to_be_visible(timeout=60_000)


async def test_a_manifest_takes_its_files_from_what_is_dropped_with_it(seen: Console) -> None:
    page = seen.page
    await seen.open("deployments")
    await choose(
        seen,
        *(FIBONACCI / name for name in ("manifest.json", "fibonacci.wasm", "description.json")),
    )
    await page.get_by_role("button", name="Deploy", exact=True).click()
    await expect(page.get_by_text("Deployed fibonacci-1")).to_be_visible()


async def test_what_is_refused_is_said(seen: Console, tmp_path: Path) -> None:
    page = seen.page
    (tmp_path / "broken.wasm").write_bytes(b"\0asm\1\0\0\0\xff")
    (tmp_path / "notes.json").write_text(json.dumps({"any": "thing"}))
    await seen.open("deployments")
    await choose(seen, tmp_path / "notes.json")
    await expect(page.get_by_role("alert")).to_contain_text("notes.json is no module")
    await choose(seen, tmp_path / "broken.wasm")
    await page.get_by_role("button", name="Deploy", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("rejected")


async def test_undeploying_is_asked_about(seen: Console, app: App) -> None:
    page = seen.page
    await seen.open("deployments")
    await page.get_by_role("button", name="Undeploy described").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Undeploy described?")
    await seen.shoot("undeploy")
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    assert "described" in {deployed.id for deployed in app.deployer}
    await page.get_by_role("button", name="Undeploy described").click()
    await dialog.get_by_role("button", name="Undeploy").click()
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_role("heading", name="described")).to_be_hidden()
    assert "described" not in {deployed.id for deployed in app.deployer}

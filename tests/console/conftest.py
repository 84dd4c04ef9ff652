"""One browser for all tests of the page, and a servient for each file of them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from servient.app import App
from servient.config import Config
from tests.console.browsing import SCREENSHOTS, Console, chromium, console

LOOP: Final = "session"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They share a browser, and so its loop."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope=LOOP), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope=LOOP)
async def browser() -> AsyncIterator[Browser]:
    SCREENSHOTS.mkdir(exist_ok=True)
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope=LOOP)
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    async with App(config_in(tmp_path_factory.mktemp("console"))) as running:
        yield running


def config_in(folder: Path, **changes: Any) -> Config:
    """Settings for a servient of its own, which gives a long invocation time to be cancelled."""
    return Config(
        **{
            "port": 0,
            "coap_port": 0,
            "mqtt_port": 0,
            "name": "workshop",
            "instance_path": folder / "instance",
            "module_timeout_seconds": 60.0,
            **changes,
        }
    )


@pytest_asyncio.fixture(loop_scope=LOOP)
async def seen(browser: Browser, app: App) -> AsyncIterator[Console]:
    async with console(browser, app) as opened:
        yield opened

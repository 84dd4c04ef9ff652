"""What most tests stand on: a running servient, and somewhere to fetch modules from."""

from collections.abc import AsyncIterator, Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from servient.app import App
from servient.config import Config
from tests.files import FileServer, serve_files


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Reports that reach another process: what a test logged may hold what UTF-8 has no bytes for."""
    report = yield
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report


@pytest.fixture
async def files() -> AsyncIterator[FileServer]:
    async with serve_files() as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Config]:
    """Settings for a servient of its own: free ports, an own folder, short deadlines."""

    def make(**changes: Any) -> Config:
        return Config(
            **{
                "port": 0,
                "coap_port": 0,
                "mqtt_port": 0,
                "instance_path": tmp_path / "instance",
                "module_timeout_seconds": 5.0,
                **changes,
            }
        )

    return make


@pytest.fixture
async def app(settings: Callable[..., Config]) -> AsyncIterator[App]:
    async with App(settings()) as running:
        yield running

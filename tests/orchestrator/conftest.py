"""An orchestrator and two servients that it knows."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from servient.app import App
from servient.config import Config
from tests.orchestrator.devices import Device
from tests.orchestrator.orchestrator import Orchestrator, orchestrating

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40 + b"\xff\xd9"


@pytest.fixture
def configure(tmp_path: Path, settings: Callable[..., Config]) -> Callable[..., Config]:
    """Settings of a servient by its name, for HTTP alone; its camera takes the same picture always."""
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(JPEG)

    def make(name: str, **changes: Any) -> Config:
        return settings(
            **{
                "name": name,
                "bindings": ("http",),
                "instance_path": tmp_path / name,
                "camera_source": str(picture),
                **changes,
            }
        )

    return make


@pytest.fixture
async def apps(configure: Callable[..., Config]) -> AsyncIterator[tuple[App, App]]:
    async with App(configure("first")) as first, App(configure("second")) as second:
        yield first, second


@pytest.fixture
async def orchestrator(apps: tuple[App, App]) -> AsyncIterator[Orchestrator]:
    """It has found both servients, of the names "first" and "second"."""
    async with orchestrating() as orchestrator:
        for app in apps:
            await orchestrator.discovered(device_of(app))
        yield orchestrator


def device_of(app: App) -> Device:
    parts = urlsplit(app.addresses()["http"])
    assert parts.hostname
    assert parts.port
    return Device(app.config.name, parts.hostname, parts.port)

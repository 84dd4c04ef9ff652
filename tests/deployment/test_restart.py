"""Deployments outlive the servient: what was acknowledged comes back, without the network."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from servient.app import App
from servient.config import Config
from servient.errors import ServientError
from tests.files import FileServer

Settings = Callable[..., Config]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Over HTTP alone: no test here is about wires."""
    return lambda **changes: settings(bindings="http", **changes)


def names(app: App) -> list[str]:
    return sorted(name for deployed in app.deployer for name in deployed.names())


async def invoke(app: App, thing: str, action: str, value: Any = None) -> Any:
    return await app.servient.exposed(thing).invoke_action(action, value)


def stored_files(app: App) -> list[Path]:
    return list((app.config.instance_path / "files").iterdir())


async def test_deployments_come_back_without_the_network(
    settings: Settings, files: FileServer
) -> None:
    async with App(settings()) as app:
        await app.deployer.deploy(files.manifest("fibonacci/manifest.json", deploymentId="f"))
        await app.deployer.deploy(files.manifest("counter/manifest.json", deploymentId="c"))
        await app.deployer.deploy(files.manifest("counter/manifest.json", deploymentId="gone"))
        await app.deployer.undeploy("gone")
        assert await invoke(app, "c:counter", "increment") == 1
        td = app.servient.exposed("f:fibonacci").description.document
    files.requests.clear()
    async with App(settings()) as app:
        assert names(app) == ["c:counter", "f:fibonacci"]
        assert await invoke(app, "f:fibonacci", "fibo", {"iterations": 7}) == 21
        assert await invoke(app, "c:counter", "increment") == 1  # its memory is not kept
        assert app.servient.exposed("f:fibonacci").description.document == td
        assert not files.requests


async def test_a_replaced_deployment_comes_back_as_it_was_last(
    settings: Settings, files: FileServer
) -> None:
    async with App(settings()) as app:
        await app.deployer.deploy(files.manifest("fibonacci/manifest.json", deploymentId="d"))
        count = len(stored_files(app))
        await app.deployer.deploy(files.manifest("counter/manifest.json", deploymentId="d"))
        with pytest.raises(ServientError):
            await app.deployer.deploy(
                files.manifest("fibonacci/manifest.json", deploymentId="d", modules=[])
            )
    async with App(settings()) as app:
        assert names(app) == ["d:counter"]
        assert len(stored_files(app)) <= count
        await app.deployer.undeploy("d")
    async with App(settings()) as app:
        assert names(app) == []
        assert stored_files(app) == []


async def test_one_that_cannot_be_brought_back_is_kept_and_stops_no_other(
    settings: Settings, files: FileServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with App(settings()) as app:
        await app.deployer.deploy(files.manifest("counter/manifest.json", deploymentId="c"))
        before = set(stored_files(app))
        await app.deployer.deploy(files.manifest("fibonacci/manifest.json", deploymentId="f"))
        fibonacci = set(stored_files(app)) - before
    for file in fibonacci:
        file.unlink()
    with caplog.at_level(logging.ERROR):
        async with App(settings()) as app:
            assert names(app) == ["c:counter"]
            assert list(app.deployer.lost) == ["f"]
            [_, lost] = await app.servient.exposed("servient").read_property("deployments")
            assert lost["deploymentId"] == "f"
            assert "gone" in lost["error"]
    [record] = caplog.records
    assert "deployment f cannot be brought back" in record.getMessage()
    assert record.exc_info is None
    async with App(settings()) as app:
        assert list(app.deployer.lost) == ["f"]  # still kept
        await app.deployer.deploy(files.manifest("fibonacci/manifest.json", deploymentId="f"))
        assert not app.deployer.lost
    async with App(settings()) as app:
        assert names(app) == ["c:counter", "f:fibonacci"]


async def test_one_that_is_lost_can_be_undeployed(settings: Settings, files: FileServer) -> None:
    async with App(settings()) as app:
        await app.deployer.deploy(files.manifest("counter/manifest.json", deploymentId="c"))
        for file in stored_files(app):
            file.write_bytes(b"damaged")
    async with App(settings()) as app:
        assert list(app.deployer.lost) == ["c"]
        await app.deployer.undeploy("c")
        assert not app.deployer.lost
    async with App(settings()) as app:
        assert not app.deployer.lost
        assert stored_files(app) == []


async def test_without_its_compiled_code_a_module_is_compiled_again(
    settings: Settings, files: FileServer
) -> None:
    async with App(settings()) as app:
        await app.deployer.deploy(files.manifest("counter/manifest.json", deploymentId="c"))
    for file in (app.config.instance_path / "compiled").iterdir():
        file.unlink()
    async with App(settings()) as app:
        assert await invoke(app, "c:counter", "increment") == 1


async def test_two_servients_do_not_share_a_folder(settings: Settings, files: FileServer) -> None:
    async with App(settings()) as app:
        await app.deployer.deploy(files.manifest("counter/manifest.json", deploymentId="c"))
        with pytest.raises(OSError, match="in use by another servient"):
            async with App(settings()):
                pass
        assert await invoke(app, "c:counter", "increment") == 1

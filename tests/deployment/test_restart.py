"""Deployments outlive the servient: what was acknowledged comes back, without the network."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from servient.app import App
from servient.config import Config
from servient.errors import ServientError
from servient.wot.content import Content
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


async def test_invocations_and_results_come_back(settings: Settings, files: FileServer) -> None:
    picture = Content(b"P6\n2 1\n255\n" + bytes((255, 0, 0, 0, 0, 255)), "image/x-portable-pixmap")
    async with App(settings()) as app:
        await app.deployer.deploy(files.manifest("grayscale/manifest.json", deploymentId="g"))
        await app.deployer.deploy(files.manifest("counter/manifest.json", deploymentId="c"))
        await app.deployer.deploy(files.manifest("counter/manifest.json", deploymentId="d"))
        for _ in range(3):
            await invoke(app, "c:counter", "increment")
        await invoke(app, "d:counter", "increment")
        await app.deployer.deploy(files.manifest("counter/manifest.json", deploymentId="d"))
        gray = await invoke(app, "g:grayscale", "grayscale", {"image.ppm": picture})
        with pytest.raises(ServientError) as failed:
            broken = Content(b"nonsense", "image/x-portable-pixmap")
            await invoke(app, "g:grayscale", "grayscale", {"image.ppm": broken})
        before = list(app.servient.invocations)
    async with App(settings()) as app:
        after = list(app.servient.invocations)
        assert [each.id for each in after] == [each.id for each in before]
        for old, new in zip(before, after, strict=True):
            assert (new.status, new.output, new.input) == (old.status, old.output, old.input)
            assert (new.requested_at, new.ended_at) == (old.requested_at, old.ended_at)
        *_, shown, error = after
        assert shown.input["image.ppm"].media_type == "image/x-portable-pixmap"
        assert await app.servient.invocations.load(shown.input) == {"image.ppm": picture}
        assert await shown.result() == gray
        with pytest.raises(type(failed.value), match="wrote no file"):
            await error.result()
        exposed = app.servient.exposed
        assert await exposed("c:counter").read_property("increment_result") == 3
        assert await exposed("g:grayscale").read_property("grayscale_result") == gray
        assert not exposed("d:counter").has_value("increment_result")  # of an earlier deployment
        await invoke(app, "c:counter", "increment")
        newest = list(app.servient.invocations)[-1]
        assert newest.id not in {each.id for each in before}
    async with App(settings(history_limit=2)) as app:
        assert [each.id for each in app.servient.invocations] == [error.id, newest.id]
        result = await app.servient.exposed("g:grayscale").read_property("grayscale_result")
        assert result == gray  # its invocation is past the history
        files_with_it = len(stored_files(app))
    async with App(settings(history_limit=2)) as app:
        assert await app.servient.exposed("g:grayscale").read_property("grayscale_result") == gray
        await app.deployer.undeploy("g")
    async with App(settings(history_limit=2)) as app:
        assert len(stored_files(app)) < files_with_it
        assert list(app.servient.invocations.results()) == list(app.servient.invocations)

"""Cancelling an invocation ends the function that runs for it, and nothing else."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from servient.app import App
from servient.config import Config
from tests.files import FileServer

ENDLESS = "/things/e:endless/actions/forever"
SPIN = "/things/e:endless/actions/spin"


@pytest.mark.parametrize("kind", [None, "stateless", "isolated"])
async def test_a_function_ends_when_its_invocation_is_cancelled(
    files: FileServer, settings: Callable[..., Config], kind: str | None
) -> None:
    config = settings(bindings=("http",), module_timeout_seconds=100.0)
    manifest: dict[str, Any] = files.manifest("endless/manifest.json", deploymentId="e")
    if kind:
        manifest["modules"][0][kind] = True
    async with (
        App(config) as app,
        httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30) as http,
    ):
        await app.deployer.deploy(manifest)
        for _ in range(3):  # more than there are lanes for
            begun = await http.post(ENDLESS, headers={"Prefer": "respond-async"})
            assert begun.status_code == 201
            href = begun.headers["location"]
            waiting = asyncio.create_task(http.post(SPIN, json={"millions": 0}))
            await asyncio.sleep(0.1)
            assert (await http.delete(href)).status_code == 204
            assert (await waiting).json() == 0  # which waited for the first to end
            while (status := (await http.get(href)).json())["status"] == "running":
                await asyncio.sleep(0.01)  # its end is seen when it is recorded
            assert (status["status"], status["error"]["title"]) == ("failed", "Action failed")
        generation = (await http.get("/things/e:endless/properties/generation")).json()
        assert generation == (0 if kind == "stateless" else 3)


@pytest.mark.parametrize("kind", [None, "stateless", "isolated"])
async def test_those_that_wait_behind_it_do_not_save_it(
    files: FileServer, settings: Callable[..., Config], kind: str | None
) -> None:
    """All are cancelled at once: the one that runs is ended, and the others never begin."""
    config = settings(bindings=("http",), module_timeout_seconds=100.0)
    manifest: dict[str, Any] = files.manifest("endless/manifest.json", deploymentId="e")
    if kind:
        manifest["modules"][0][kind] = True
    async with App(config) as app:
        deployed = await app.deployer.deploy(manifest)
        thing = app.servient.exposed("e:endless")
        begun = [thing.start_action("forever") for _ in range(8)]
        await asyncio.sleep(0.1)
        for invocation in begun:
            invocation.cancel()
        async with asyncio.timeout(30):
            assert await thing.invoke_action("spin", {"millions": 0}) == 0
            while deployed.modules[0].pending_calls:
                await asyncio.sleep(0.01)
        assert thing.value_of("generation") == (0 if kind == "stateless" else 1)

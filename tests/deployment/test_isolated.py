"""Modules in processes of their own, as a manifest or a setting asks for them."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import wasmtime

from servient.app import App
from servient.config import Config
from servient.errors import ModuleRejected
from servient.wot.door import Door, Interaction
from servient.wot.operations import Operation
from tests.files import FileServer

INCREMENT = "/things/i:counter/actions/increment"


@pytest.fixture
async def http(app: App) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30) as client:
        yield client


def processes() -> list[int]:
    """Those that run modules of this process, in the order of their coming."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            command = (path.parent / "cmdline").read_bytes()
        except (OSError, IndexError):  # it has just ended
            continue
        if parent == os.getpid() and b"servient.wasm.isolated.process" in command:
            found.append(int(path.parent.name))
    return sorted(found)


def isolated(files: FileServer) -> dict[str, Any]:
    manifest = files.manifest("counter/manifest.json", deploymentId="i")
    manifest["modules"][0]["isolated"] = True
    return manifest


async def test_a_crash_costs_the_state_of_one_module_and_is_told(
    app: App, files: FileServer, http: httpx.AsyncClient
) -> None:
    await app.deployer.deploy(isolated(files))
    await app.deployer.deploy(files.manifest("counter/manifest.json", deploymentId="here"))
    for count in (1, 2):
        assert (await http.post(INCREMENT)).json() == count
        assert (await http.post("/things/here:counter/actions/increment")).json() == count
    (process,) = processes()
    events = Door(app.servient).subscribe(
        Interaction(Operation.SUBSCRIBE_EVENT, "i:counter", "replaced")
    )
    os.kill(process, signal.SIGKILL)
    while Path(f"/proc/{process}").exists():  # until the servient has noticed
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert (await http.post(INCREMENT)).json() == 1
    told = await asyncio.wait_for(anext(events), 10)
    assert told.value == {"generation": 1, "reason": "its process ended between two calls"}
    assert (await http.get("/things/i:counter/properties/generation")).json() == 1
    assert (await http.post("/things/here:counter/actions/increment")).json() == 3
    await app.deployer.undeploy("i")
    assert processes() == []


async def test_files_and_output_pass(app: App, files: FileServer, http: httpx.AsyncClient) -> None:
    manifest = files.manifest("grayscale/manifest.json", deploymentId="g")
    manifest["modules"][0] |= {"isolated": True, "stateless": True}
    await app.deployer.deploy(manifest)
    for shade in (7, 200):
        image = b"P6\n1 1\n255\n" + bytes((shade, shade, shade))
        answer = await http.post(
            "/things/g:grayscale/actions/grayscale", files={"image.ppm": ("blob", image)}
        )
        assert answer.status_code == 200, answer.text
        assert answer.content[-1] == shade


async def test_a_call_that_does_not_end_is_an_error_like_any_other(
    app: App, files: FileServer, http: httpx.AsyncClient
) -> None:
    manifest = files.manifest("endless/manifest.json", deploymentId="e")
    manifest["modules"][0]["isolated"] = True
    await app.deployer.deploy(manifest)
    failed = await http.post("/things/e:endless/actions/trap")
    assert "trapped" in failed.json()["detail"]
    assert (await http.get("/things/e:endless/properties/generation")).json() == 1


async def test_a_setting_isolates_all_modules(
    settings: Callable[..., Config], files: FileServer
) -> None:
    async with App(settings(isolate_modules=True, bindings=("http",))) as app:
        for name in ("a", "b"):
            await app.deployer.deploy(files.manifest("counter/manifest.json", deploymentId=name))
        assert len(processes()) == 2
        files.files["/component.wasm"] = bytes(wasmtime.wat2wasm("(component)"))
        module = {"name": "c", "urls": {"binary": f"{files.origin}/component.wasm"}}
        with pytest.raises(ModuleRejected, match="a component cannot run in a process of its own"):
            await app.deployer.deploy({"deploymentId": "c", "modules": [module]})
    assert processes() == []

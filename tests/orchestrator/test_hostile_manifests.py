"""Every text of every manifest replaced by hostile ones: refused, or deployed without harm."""

import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from servient.app import App
from servient.config import Config
from tests.files import EXAMPLES, FileServer
from tests.orchestrator import uploads
from tests.orchestrator.hostile import (
    Decoy,
    Place,
    leaks,
    places_in,
    replaced,
    replaced_everywhere,
    snapshot,
    to_json,
)
from tests.orchestrator.manifests import Step, make_manifests, make_sequences
from tests.orchestrator.modules import Module, describe

MANIFESTS = Path(__file__).parents[1] / "manifests"
OLD = "/wasm-binaries/wasm32-wasi"
FILE = {"image.jpeg": b"\xff\xd8"}


def serve_modules(files: FileServer) -> None:
    """What the manifests say, at the addresses that they name."""
    modules = (
        uploads.fibo(),
        uploads.fibo_post(),
        uploads.stateful_fibo(),
        uploads.bytes_module(),
        uploads.camera(),
    )
    for module in modules:
        files.files |= files_of(module)
    files.files[f"{OLD}/ml.wasm"] = (EXAMPLES / "digits/digits.wasm").read_bytes()
    files.files[f"{OLD}/ml.pb"] = (EXAMPLES / "digits/model.pb").read_bytes()


def manifests(files: FileServer, url: str) -> dict[str, Any]:
    """All shapes by their names, with addresses of this test; both devices are the one at `url`."""
    found: dict[str, Any] = {}
    for file in sorted(MANIFESTS.glob("*.json")):
        text = re.sub(r"http://(127\.0\.0\.1:3000|localhost:8000)", files.origin, file.read_text())
        found[file.stem] = json.loads(re.sub(r"http://127\.0\.0\.1:500[12]", url, text))
    steps = [
        Step.of(url, uploads.bytes_module(), "size_with_table"),
        Step.of(url, uploads.fibo(), "fibo"),
    ]
    for module in (step.module for step in steps):
        for path, body in files_of(module).items():
            files.files[f"/newer{path}"] = body
    return {**found, "newer": make_sequences("newer", f"{files.origin}/newer", steps)[url]}


def files_of(module: Module) -> dict[str, bytes]:
    """What is fetched of a module, by path."""
    base = f"/file/module/{module.id}"
    return {
        f"{base}/wasm": module.wasm,
        f"{base}/description": json.dumps(describe(module)).encode(),
        **{f"{base}/{name}": body for name, body in module.files.items()},
    }


@dataclass
class World:
    """A servient beside a decoy, with a deployment that counts what is done to it."""

    http: aiohttp.ClientSession
    url: str
    app: App
    decoy: Decoy
    files: FileServer
    counted: int = 0
    deployed: int = 0
    refused: int = 0
    before: dict[str, Any] = field(default_factory=dict)

    async def request(self, method: str, path: str, **sent: Any) -> tuple[int, bytes]:
        async with self.http.request(method, self.url + path, **sent) as answer:
            return answer.status, await answer.read()

    async def try_deploying(self, manifest: Any, about: object) -> None:
        """Deploy it, use what it deployed, and take it away again."""
        status, body = await self.request("POST", "//deploy", data=to_json(manifest))
        assert status == 200 or 400 <= status < 500, (about, status, body)
        assert not leaks(body), about
        if status != 200:
            self.refused += 1
            return
        self.deployed += 1
        deployment = json.loads(body)["deploymentId"]
        await self._use(deployment, about)
        status, body = await self.request("DELETE", f"/deploy/{deployment}")
        assert status == 200, (about, body)

    async def _use(self, deployment: str, about: object) -> None:
        deployed = next(each for each in self.app.deployer if each.id == deployment)
        for module in deployed.modules:
            _, body = await self.request("GET", f"/things/{deployment}:{module.name}")
            for function in json.loads(body)["actions"]:
                path = f"/{deployment}/modules/{module.name}/{function}?param0=3&a=1&b=2"
                form = aiohttp.FormData()
                form.add_field("image.jpeg", FILE["image.jpeg"], filename="blob")
                for sent in ({"data": form}, {"json": {"foo": "bar"}}):
                    status, body = await self.request("POST", path, **sent)
                    assert status == 200 or 400 <= status < 500, (about, status, body)
                    assert not leaks(body), about
                    if status == 200:
                        await self._read_outputs(json.loads(body)["resultUrl"], about)

    async def _read_outputs(self, link: str, about: object) -> None:
        """The files that it is said to have written are its own."""
        if not link.startswith(f"{self.url}/request-history/"):
            return
        _, body = await self.request("GET", link.removeprefix(self.url))
        assert not leaks(body), about
        for output in json.loads(body)["outputs"]:
            status, body = await self.request("GET", output.removeprefix(self.url))
            assert status == 200, (about, output)
            assert not leaks(body), (about, output)

    async def check(self, about: object) -> None:
        """The earlier deployment is as it was, and so is everything else."""
        status, body = await self.request("POST", "/keep/modules/counter/increment")
        self.counted += 1
        assert status == 200, (about, body)
        assert json.loads(body)["result"] == [str(self.counted), None], about


@pytest.fixture
async def world(
    configure: Callable[..., Config], files: FileServer, tmp_path: Path
) -> AsyncIterator[World]:
    serve_modules(files)
    async with App(configure("first", module_timeout_seconds=2.0)) as app:
        decoy = Decoy.plant(tmp_path, app.config.instance_path)
        async with aiohttp.ClientSession() as http:
            world = World(http, app.addresses()["http"], app, decoy, files)
            keep = files.manifest("counter/manifest.json", deploymentId="keep")
            status, _ = await world.request("POST", "/deploy", json=keep)
            assert status == 200
            await world.check("keep")
            before = outside(tmp_path)
            modules = snapshot(app.config.instance_path / "modules").keys()
            yield world
            await world.check("at the end")
            assert outside(tmp_path) == before
            assert snapshot(app.config.instance_path / "modules").keys() == modules
            assert [deployed.id for deployed in app.deployer] == ["keep"]


def outside(parent: Path) -> dict[str, Any]:
    """What stands beside the servient's folder, and in it beside what the servient keeps there."""
    own = parent / "first"
    found = snapshot(parent)
    return {path: content for path, content in found.items() if not path.startswith(f"{own}/")} | {
        f"{own}/{path.name}": None for path in own.iterdir()
    }


def pattern_of(place: Place, names: set[str]) -> tuple[str, ...]:
    """The kind of place: the same member of any module or function is of one kind."""
    return tuple("#" if isinstance(s, int) else "*" if s in names else s for s in place)


def names_in(manifest: Any) -> set[str]:
    """The names of modules, functions and files."""
    if "fullManifest" in manifest:
        steps = manifest["fullManifest"]["sequence"]
        names = {name for step in steps for name in (step["module"]["name"], step["function"])}
        return names | {path for step in steps for path in paths_in(step["mounts"])}
    modules = manifest["instructions"]["modules"]
    functions = {name for module in modules.values() for name in module}
    mounts = (f for module in manifest.get("mounts", {}).values() for f in module.values())
    return {*modules, *functions, *(path for each in mounts for path in paths_in(each))}


def paths_in(mounts: Any) -> list[str]:
    return [mount["path"] for stage in mounts.values() for mount in stage]


def kinds_of_places(found: dict[str, Any]) -> dict[tuple[Any, ...], tuple[str, Place, bool]]:
    """One place of each kind, with the manifest that it is in."""
    kinds: dict[tuple[Any, ...], tuple[str, Place, bool]] = {}
    for name, manifest in found.items():
        names = names_in(manifest)
        shape = name.partition("-")[0]
        for place, is_name in places_in(manifest):
            kind = (shape, is_name, pattern_of(place, names))
            kinds.setdefault(kind, (name, place, is_name))
    return kinds


@pytest.mark.timeout(300)
async def test_every_text_of_every_manifest(world: World) -> None:
    found = manifests(world.files, world.url)
    kinds = kinds_of_places(found)
    assert len(kinds) > 200
    for number, (file, place, is_name) in enumerate(kinds.values()):
        manifest = found[file]
        deployed = world.deployed
        for turn, text in enumerate(world.decoy.texts()):
            # Where any text will do, one more is as good as all: every place gets another.
            is_free = world.deployed > deployed
            if not is_free or turn == number % len(world.decoy.texts()):
                about = (file, place, is_name, text[:60])
                await world.try_deploying(replaced(manifest, place, text, is_name), about)
        await world.check((file, place))
    assert world.refused > world.deployed > 0


@pytest.mark.timeout(300)
async def test_every_name_wherever_it_stands(world: World) -> None:
    """So that a hostile name meets no refusal merely because another place still says the old one."""
    for shape, manifest in manifests(world.files, world.url).items():
        for name in sorted(names_in(manifest) | {manifest["deploymentId"]}):
            for text in world.decoy.texts():
                about = (shape, name, text[:60])
                await world.try_deploying(replaced_everywhere(manifest, name, text), about)
            await world.check((shape, name))
    assert world.refused > world.deployed


async def test_chains_to_hostile_addresses(world: World) -> None:
    """Where a result goes is the manifest's to say, but neither a file nor anything but HTTP."""
    steps = [
        Step.of(world.url, uploads.fibo(), "fibo"),
        Step.of(world.url, uploads.stateful_fibo(), "fibo"),
    ]
    manifest = make_manifests("chain", world.files.origin, steps)[world.url]
    for member in ("url", "path", "method"):
        place = ("instructions", "modules", "fibo", "fibo", "to", member)
        for text in world.decoy.texts():
            await world.try_deploying(replaced(manifest, place, text, False), (member, text[:60]))
        await world.check(member)

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
from tests.orchestrator.manifests import Step, make_manifests
from tests.orchestrator.modules import describe

MANIFESTS = Path(__file__).parents[1] / "manifests"
OLD = "/wasm-binaries/wasm32-wasi"
FREE = 1  # after so many texts that were deployed, a place takes any
FREE_EVERY = 24
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
        base = f"/file/module/{module.id}"
        files.files[f"{base}/wasm"] = module.wasm
        files.files[f"{base}/description"] = json.dumps(describe(module)).encode()
        for name, body in module.files.items():
            files.files[f"{base}/{name}"] = body
    files.files[f"{OLD}/ml.wasm"] = (EXAMPLES / "digits/digits.wasm").read_bytes()
    files.files[f"{OLD}/ml.pb"] = (EXAMPLES / "digits/model.pb").read_bytes()


def read_manifest(name: str, files: FileServer, url: str = "http://127.0.0.1:9") -> Any:
    """With addresses of this test: that of the modules, and the device's for both devices."""
    text = (MANIFESTS / name).read_text()
    text = re.sub(r"http://(127\.0\.0\.1:3000|localhost:8000)", files.origin, text)
    return json.loads(re.sub(r"http://127\.0\.0\.1:500[12]", url, text))


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
    modules = manifest["instructions"]["modules"]
    functions = {name for module in modules.values() for name in module}
    mounts = (
        mount["path"]
        for module in manifest.get("mounts", {}).values()
        for function in module.values()
        for stage in function.values()
        for mount in stage
    )
    return {*modules, *functions, *mounts}


def kinds_of_places(files: FileServer) -> dict[tuple[Any, ...], tuple[str, Place, bool]]:
    """One place of each kind, with the manifest that it is in."""
    kinds: dict[tuple[Any, ...], tuple[str, Place, bool]] = {}
    for file in sorted(MANIFESTS.glob("*.json")):
        manifest = read_manifest(file.name, files)
        names = names_in(manifest)
        shape = file.name.startswith("old-")
        for place, is_name in places_in(manifest):
            kind = (shape, is_name, pattern_of(place, names))
            kinds.setdefault(kind, (file.name, place, is_name))
    return kinds


@pytest.mark.timeout(300)
async def test_every_text_of_every_manifest(world: World) -> None:
    kinds = kinds_of_places(world.files)
    assert len(kinds) > 100
    for number, (file, place, is_name) in enumerate(kinds.values()):
        manifest = read_manifest(file, world.files, world.url)
        deployed = world.deployed
        for turn, text in enumerate(world.decoy.texts()):
            # Where any text will do, the next one is as good: every place gets others.
            is_free = world.deployed > deployed + FREE
            if not is_free or (turn + number) % FREE_EVERY == 0:
                about = (file, place, is_name, text[:60])
                await world.try_deploying(replaced(manifest, place, text, is_name), about)
        await world.check((file, place))
    assert world.refused > world.deployed > 0


@pytest.mark.timeout(300)
async def test_every_name_wherever_it_stands(world: World) -> None:
    """So that a hostile name meets no refusal merely because another place still says the old one."""
    for file in sorted(MANIFESTS.glob("*.json")):
        manifest = read_manifest(file.name, world.files, world.url)
        for name in sorted(names_in(manifest) | {manifest["deploymentId"]}):
            for text in world.decoy.texts():
                about = (file.name, name, text[:60])
                await world.try_deploying(replaced_everywhere(manifest, name, text), about)
            await world.check((file.name, name))
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

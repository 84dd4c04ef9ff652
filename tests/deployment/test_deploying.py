"""Deployments over the orchestrator's route: all of it or nothing, and what a refusal says."""

import asyncio
import gc
import threading
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from servient.app import App
from servient.deployment.fetch import Fetcher
from servient.deployment.fetch_limits import FetchLimits
from servient.deployment.reach import Reach
from servient.errors import FetchFailed
from tests.files import FileServer

REFUSED = range(400, 500)


@pytest.fixture
async def http(app: App):  # type: ignore[no-untyped-def]  # an async generator of httpx's client
    async with httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30) as client:
        yield client


async def deploy(http: httpx.AsyncClient, manifest: Any) -> httpx.Response:
    return await http.post("/deploy", json=manifest)


def folders(app: App) -> list[Path]:
    return list((app.config.instance_path / "modules").iterdir())


async def test_the_walk_through_of_the_readme(
    app: App, files: FileServer, http: httpx.AsyncClient
) -> None:
    answer = await deploy(http, files.manifest("fibonacci/manifest-readme.json"))
    assert (answer.status_code, answer.json()) == (200, {"status": "success", "deploymentId": "0"})

    answer = await http.get("/0/modules/fiboMod/fibo?iterations=7")
    assert answer.status_code == 200
    link = answer.json()["resultUrl"]
    assert link.startswith(app.addresses()["http"])

    entry = (await http.get(link)).json()
    assert entry["result"] == ["21", None]
    assert entry["success"] is True
    assert entry["request_args"] == {"iterations": 7}
    assert entry["request_id"].startswith("0:fiboMod:fibo:")


async def test_parameters_go_by_name_and_the_body_is_ignored(
    files: FileServer, http: httpx.AsyncClient
) -> None:
    await deploy(http, files.manifest("geometry/manifest.json", deploymentId="g"))
    answer = await http.get("/g/modules/geometry/hypotenuse?b=4&a=3")
    assert answer.json()["result"] == ["5.0", None]
    await deploy(http, files.manifest("fibonacci/manifest-readme.json"))
    answer = await http.post(
        "/0/modules/fiboMod/fibo?iterations=12",
        content=b"[object Object]",
        headers={"Content-Type": "text/plain;charset=UTF-8"},
    )
    assert answer.json()["result"] == ["233", None]


async def test_files_in_and_out(app: App, files: FileServer, http: httpx.AsyncClient) -> None:
    await deploy(http, files.manifest("grayscale/manifest.json", deploymentId="pictures"))
    image = b"P6\n2 1\n255\n" + bytes((255, 0, 0, 0, 0, 255))
    url = "/pictures/modules/grayscale/grayscale"
    answer = await http.post(url, files={"image.ppm": ("blob", image, "application/octet-stream")})
    entry = (await http.get(answer.json()["resultUrl"])).json()
    assert entry["success"], entry
    assert entry["result"] == [None, ["result.pgm"]]
    assert entry["request_files"] == {"image.ppm": "image.ppm"}
    result = await http.get(entry["outputs"][0])
    assert result.headers["content-type"] == "image/x-portable-graymap"
    assert result.content.startswith(b"P5\n2 1\n255\n")

    answer = await http.post(url, files={"image.ppm": ("blob", b"P6 nonsense")})
    assert answer.json()["status"] == "error"
    assert "result.pgm" in answer.json()["error"]
    entry = await http.get(answer.json()["resultUrl"])
    assert entry.status_code == 500


async def test_state_is_kept_and_a_redeployment_starts_afresh(
    files: FileServer, http: httpx.AsyncClient
) -> None:
    manifest = files.manifest("counter/manifest.json", deploymentId="c")
    await deploy(http, manifest)
    thing = "/things/c:counter"
    assert [(await http.post(f"{thing}/actions/increment")).json() for _ in range(3)] == [1, 2, 3]
    assert (await deploy(http, manifest)).status_code == 200
    assert (await http.post(f"{thing}/actions/increment")).json() == 1


async def test_deploying_and_undeploying_are_actions_of_the_servients_thing(
    files: FileServer, http: httpx.AsyncClient
) -> None:
    manifest = files.manifest("counter/manifest.json", deploymentId="c")
    answer = await http.post("/things/servient/actions/deploy", json=manifest)
    assert answer.json() == {"deploymentId": "c", "things": ["c:counter"]}
    deployments = (await http.get("/things/servient/properties/deployments")).json()
    assert [each["deploymentId"] for each in deployments] == ["c"]
    answer = await http.post("/things/servient/actions/undeploy", json={"deploymentId": "c"})
    assert answer.status_code == 204
    assert (await http.get("/things/c:counter")).status_code == 404


def broken(files: FileServer, fault: str) -> tuple[Any, str]:
    """A faulty manifest, and what the sentence of its refusal must name."""
    manifest = files.manifest("fibonacci/manifest-readme.json", deploymentId="bad")
    module = manifest["modules"][0]
    functions = manifest["instructions"]["modules"]["fiboMod"]
    origin = files.origin
    match fault:
        case "not an object":
            return [1, 2], ""
        case "no modules":
            del manifest["modules"]
            return manifest, "modules"
        case "no binary":
            module["urls"].pop("binary")
            return manifest, "binary"
        case "a scheme that is not HTTP":
            module["urls"]["binary"] = "file:///etc/passwd"
            return manifest, "binary"
        case "an unreachable host":
            module["urls"]["binary"] = "http://127.0.0.1:9/x.wasm"
            return manifest, "http://127.0.0.1:9/x.wasm"
        case "a missing file":
            module["urls"]["binary"] = f"{origin}/missing.wasm"
            return manifest, f"{origin}/missing.wasm"
        case "a missing data file":
            module["urls"]["other"] = [f"{origin}/missing.bin"]
            return manifest, f"{origin}/missing.bin"
        case "a redirect":
            module["urls"]["binary"] = f"{origin}/redirect"
            return manifest, f"{origin}/redirect"
        case "a compressed answer":
            module["urls"]["binary"] = f"{origin}/compressed"
            return manifest, f"{origin}/compressed"
        case "an endless file":
            module["urls"]["binary"] = f"{origin}/endless"
            return manifest, f"{origin}/endless"
        case "garbage":
            files.files["/garbage"] = b"\0asm\1\0\0\0garbage"
            module["urls"]["binary"] = f"{origin}/garbage"
            return manifest, f"{origin}/garbage"
        case "a truncated module":
            whole = (files._body("/fibonacci/fibonacci.wasm") or b"")[:-20]
            files.files["/truncated"] = whole
            module["urls"]["binary"] = f"{origin}/truncated"
            return manifest, f"{origin}/truncated"
        case "an empty file":
            files.files["/empty"] = b""
            module["urls"]["binary"] = f"{origin}/empty"
            return manifest, f"{origin}/empty"
        case "a function that is not exported":
            functions["fibonacci_of_wishes"] = functions["fibo"]
            return manifest, "fibonacci_of_wishes"
    raise AssertionError(fault)


FAULTS = [
    "not an object",
    "no modules",
    "no binary",
    "a scheme that is not HTTP",
    "an unreachable host",
    "a missing file",
    "a missing data file",
    "a redirect",
    "a compressed answer",
    "an endless file",
    "garbage",
    "a truncated module",
    "an empty file",
    "a function that is not exported",
]


async def test_what_cannot_be_deployed_is_refused_and_leaves_nothing(
    app: App, files: FileServer, http: httpx.AsyncClient
) -> None:
    await deploy(http, files.manifest("counter/manifest.json", deploymentId="c"))
    await http.post("/things/c:counter/actions/increment")
    before = folders(app)
    for fault in FAULTS:
        manifest, named = broken(files, fault)
        answer = await deploy(http, manifest)
        assert answer.status_code in REFUSED, (fault, answer.text)
        assert named in answer.json()["error"], (fault, answer.text)
        assert folders(app) == before, fault
    answer = await http.post("/deploy", content=b"{not json")
    assert answer.status_code == 400
    deployments = (await http.get("/deploy")).json()["deployments"]
    assert [each["deploymentId"] for each in deployments] == ["c"]
    assert (await http.post("/things/c:counter/actions/increment")).json() == 2


async def test_a_dripping_file_runs_into_the_deadline(
    files: FileServer,
) -> None:
    url = f"{files.origin}/drip"
    async with Fetcher(Reach(is_open=True), FetchLimits(deadline_seconds=0.5)) as fetcher:
        with pytest.raises(FetchFailed, match=r"/drip did not arrive within 0\.5 s"):
            await fetcher.fetch_all(frozenset({url}), frozenset())
        # What nobody needs may be late: the description is optional.
        assert await fetcher.fetch_all(frozenset(), frozenset({url})) == {}


async def test_a_failed_replacement_leaves_the_earlier_deployment(
    files: FileServer, http: httpx.AsyncClient
) -> None:
    manifest = files.manifest("counter/manifest.json", deploymentId="c")
    await deploy(http, manifest)
    await http.post("/things/c:counter/actions/increment")
    manifest["modules"][0]["urls"]["binary"] = f"{files.origin}/missing.wasm"
    assert (await deploy(http, manifest)).status_code in REFUSED
    assert (await http.post("/things/c:counter/actions/increment")).json() == 2


NAMES = [
    "../../etc",
    "a/b",
    "",
    "x" * 10_000,
    "..",
    ".",
    "a\0b",
    "a\\b",
    "%2e%2e",
    "a:b",
    "ünï",
    " ",
]


@pytest.mark.parametrize("where", ["deployment", "module", "function", "file"])
async def test_names_that_are_no_plain_names_are_refused(
    where: str, app: App, files: FileServer, http: httpx.AsyncClient
) -> None:
    root = app.config.instance_path.parent
    before = sorted(root.rglob("*"))
    for name in NAMES:
        manifest = files.manifest("grayscale/manifest.json")
        match where:
            case "deployment":
                manifest["deploymentId"] = name
            case "module":
                manifest["modules"][0]["name"] = name
                for member in ("endpoints", "mounts"):
                    manifest[member] = {name: next(iter(manifest[member].values()))}
                modules = manifest["instructions"]["modules"]
                manifest["instructions"]["modules"] = {name: next(iter(modules.values()))}
            case "function":
                for member in (manifest["endpoints"], manifest["mounts"]):
                    functions = member["grayscale"]
                    functions[name] = functions.pop("grayscale")
            case "file":
                manifest["mounts"]["grayscale"]["grayscale"]["output"][0]["path"] = name
        answer = await deploy(http, manifest)
        assert answer.status_code in REFUSED, (name, answer.text)
        assert len(answer.json()["error"]) < 1000
    assert sorted(root.rglob("*")) == before
    assert (await http.get("/deploy")).json() == {"deployments": []}


async def test_data_files_with_bad_names_are_refused(
    files: FileServer, http: httpx.AsyncClient
) -> None:
    for name in NAMES:
        manifest = files.manifest("counter/manifest.json")
        manifest["modules"][0]["urls"]["other"] = {name: f"{files.origin}/counter/counter.wasm"}
        assert (await deploy(http, manifest)).status_code in REFUSED, name


async def test_an_endless_function_fails_at_its_deadline_and_harms_nobody(
    settings: Any, files: FileServer
) -> None:
    async with App(settings(module_timeout_seconds=1.0)) as app:
        client = httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30)
        async with client as http:
            await deploy(http, files.manifest("endless/manifest.json", deploymentId="e"))
            await deploy(http, files.manifest("counter/manifest.json", deploymentId="c"))
            endless = asyncio.create_task(http.post("/things/e:endless/actions/forever"))
            counts = 0
            while not endless.done():
                answer = await http.post("/things/c:counter/actions/increment")
                counts += 1
                assert answer.json() == counts
            problem = (await endless).json()
            assert problem["status"] == 504
            assert problem["title"] == "Deadline exceeded"
            assert counts > 1
            answer = await http.get("/e/modules/endless/trap")
            assert "trap" in answer.json()["error"]
            assert (
                await http.post("/things/e:endless/actions/spin", json={"millions": 1})
            ).is_success


async def test_two_hundred_deployments_leave_nothing(
    app: App, files: FileServer, http: httpx.AsyncClient
) -> None:
    process = psutil.Process()

    async def one_round(count: int) -> tuple[int, int, int]:
        for number in range(count):
            manifest = files.manifest("fibonacci/manifest.json", deploymentId=f"d{number}")
            assert (await deploy(http, manifest)).status_code == 200
            thing = f"/things/d{number}:fibonacci"
            answer = await http.post(f"{thing}/actions/fibo", json={"iterations": 7})
            assert answer.json() == 21
            assert (await http.delete(f"/deploy/d{number}")).status_code == 200
            assert (await http.get(thing)).status_code == 404
        await asyncio.sleep(0.2)
        gc.collect()
        return threading.active_count(), process.num_fds(), process.memory_info().rss

    threads, descriptors, memory = await one_round(50)
    threads_after, descriptors_after, memory_after = await one_round(200)
    assert folders(app) == []
    assert [thing.name for thing in app.servient.enabled_exposed_things] == ["servient"]
    assert threads_after <= threads + 2  # of guests, at rest
    assert descriptors_after <= descriptors + 2  # of keep-alive connections
    assert memory_after - memory < 16 * 2**20

"""Manifests that a real orchestrator sent, whole and mutilated, over its route."""

import asyncio
import copy
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeAlias

import httpx
import pytest
import wasmtime

from servient.app import App
from tests.files import FileServer
from tests.manifests import FOLDER, NAMES

Steps: TypeAlias = tuple[str | int, ...]

MODULE = """
(module
  (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "fibo") (param i64) (result i64) (local.get 0))
  (func (export "subtract") (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1)))
  (func (export "addf") (param f32 f32) (result f32) (f32.add (local.get 0) (local.get 1)))
  (func (export "size_with_table") (result i32) (i32.const 1))
  (func (export "invert") (result i32) (i32.const 0))
  (func (export "take_image") (result i32) (i32.const 0))
  (func (export "take_image_predefined_path") (result i32) (i32.const 0))
  (func (export "infer_from_ptrs") (param i32 i32 i32 i32) (result i32) (i32.const 3)))
"""
UNKNOWN: list[Any] = [None, {"x": [1, None]}, ["x"], 5, "x", True]
# Objects by whose names things are called, and those of which that is true of the members too.
OF_MODULES = {"endpoints", "mounts", "modules"}
NAMED = OF_MODULES | {"other", "properties", "encoding", "paths", "content", "responses"}
# Few enough to be posted in a moment, enough to come by every kind of member.
AT_ONCE = 16


@pytest.fixture
async def app(settings: Any) -> AsyncIterator[App]:
    async with App(settings(bindings="http")) as running:
        yield running


@pytest.fixture
async def http(app: App):  # type: ignore[no-untyped-def]  # an async generator of httpx's client
    async with httpx.AsyncClient(base_url=app.addresses()["http"], timeout=60) as client:
        yield client


def load(name: str, files: FileServer) -> dict[str, Any]:
    """A manifest whose files are there to be fetched."""
    text = (FOLDER / f"{name}.json").read_text()
    text = re.sub(r"http://(127\.0\.0\.1:3000|localhost:8000)", files.origin, text)
    manifest: dict[str, Any] = json.loads(text)
    binary = bytes(wasmtime.wat2wasm(MODULE))
    for module in manifest["modules"]:
        files.files[module["urls"]["binary"].removeprefix(files.origin)] = binary
        other = module["urls"]["other"]
        for url in other.values() if isinstance(other, dict) else other:
            files.files[url.removeprefix(files.origin)] = b"data"
    return manifest


def places(document: Any, steps: Steps = ()) -> Iterator[Steps]:
    """Where a member or an element stands."""
    if isinstance(document, dict):
        pairs: Any = document.items()
    else:
        pairs = enumerate(document) if isinstance(document, list) else ()
    for step, value in pairs:
        yield (*steps, step)
        yield from places(value, (*steps, step))


def changed(document: Any, steps: Steps, *value: Any) -> Any:
    """A copy with another value at a place, or with nothing there."""
    found = copied = copy.deepcopy(document)
    for step in steps[:-1]:
        found = found[step]
    if value:
        found[steps[-1]] = value[0]
    else:
        del found[steps[-1]]
    return copied


def with_unknown(document: Any, steps: Steps = ()) -> Any:
    """A copy in which every object has one more member, but for those whose names say what is theirs."""
    if isinstance(document, list):
        return [with_unknown(each, (*steps, at)) for at, each in enumerate(document)]
    if not isinstance(document, dict):
        return document
    members = {name: with_unknown(member, (*steps, name)) for name, member in document.items()}
    if {*steps[-1:]} & NAMED or {*steps[-2:-1]} & OF_MODULES:
        return members
    return {**members, "unknownMember": UNKNOWN[len(steps) % len(UNKNOWN)]}


def mutations(manifest: Any) -> Iterator[tuple[str, Any]]:
    for steps in places(manifest):
        where = "/".join(map(str, steps))
        yield f"{where} is null", changed(manifest, steps, None)
        yield f"{where} is not there", changed(manifest, steps)


async def post(http: httpx.AsyncClient, manifest: Any) -> httpx.Response:
    return await http.post(f"{str(http.base_url).rstrip('/')}//deploy", json=manifest)


@pytest.mark.parametrize("name", NAMES)
async def test_every_member_may_be_missing_or_null(
    name: str, files: FileServer, http: httpx.AsyncClient
) -> None:
    manifest = load(name, files)
    assert (await post(http, manifest)).status_code == 200
    mutated = list(mutations(manifest))
    assert len(mutated) > 40

    async def try_it(what: str, document: Any) -> bool:
        answer = await post(http, document)
        said = answer.json()
        if answer.status_code == 200:
            assert said == {"status": "success", "deploymentId": manifest["deploymentId"]}
            return True
        assert answer.status_code == 400, (what, answer.text)
        assert said["status"] == "error", what
        assert 10 < len(said["error"]) < 1000, what
        assert said["errors"][0]["pointer"].startswith("/"), (what, said)
        return False

    deployed = []
    for at in range(0, len(mutated), AT_ONCE):
        deployed += await asyncio.gather(*(try_it(*each) for each in mutated[at : at + AT_ONCE]))
    # Most of what a manifest says is said twice, or goes without saying.
    assert deployed.count(True) > len(deployed) / 2
    assert deployed.count(False) > 3
    assert (await post(http, manifest)).status_code == 200
    assert len((await http.get("/deploy")).json()["deployments"]) == 1


@pytest.mark.parametrize("name", NAMES)
async def test_unknown_members_are_not_looked_at(
    name: str, files: FileServer, http: httpx.AsyncClient
) -> None:
    manifest = load(name, files)
    await post(http, manifest)
    before = await served(http)
    document = with_unknown(manifest)
    assert json.dumps(document).count("unknownMember") > 5
    answer = await post(http, document)
    assert answer.status_code == 200, answer.text
    assert await served(http) == before


async def served(http: httpx.AsyncClient) -> list[Any]:
    """The descriptions of all that is deployed."""
    deployments = (await http.get("/deploy")).json()["deployments"]
    names = [thing for each in deployments for thing in each["things"]]
    return [(await http.get(f"/things/{name}")).json() for name in names]


async def test_any_way_to_write_a_type(files: FileServer, http: httpx.AsyncClient) -> None:
    spelled = [
        ({"type": "float"}, 2.5),
        ({"type": "number"}, 2.5),
        ({"type": "double", "format": "double", "x-unknown": None}, 2.5),
        ({"type": "number", "format": "float"}, 2.5),
        ({"type": None}, 2.5),
        ({}, 2.5),
        (None, 2.5),
        ({"type": "anything"}, 2.5),
        ({"type": "integer", "format": "int64"}, 3),
        ({"type": "int64"}, 3),
        ({"type": "boolean"}, 1),
    ]
    for schema, number in spelled:
        manifest = load("deploy-float", files)
        addf = manifest["endpoints"]["bytes"]["addf"]
        for parameter in addf["request"]["parameters"]:
            parameter["schema"] = schema
        addf["response"]["schema"] = schema
        assert (await post(http, manifest)).status_code == 200, schema
        url = f"/{manifest['deploymentId']}/modules/bytes/addf"
        answer = await http.get(url, params={"a": number, "b": 0})
        [text, _] = answer.json()["result"]
        assert json.loads(text) == number, schema


@pytest.mark.parametrize("media_type", ["image/x-y; q=1", "JPEG", "a/b/c", "text/*", "", " ", None])
async def test_a_media_type_may_be_any_text(
    media_type: Any, files: FileServer, http: httpx.AsyncClient
) -> None:
    manifest = load("deploy-bytes-invert", files)
    invert = manifest["endpoints"]["bytes"]["invert"]
    invert["response"]["media_type"] = media_type
    invert["request"]["request_body"]["encoding"]["image.jpeg"]["contentType"] = media_type
    for mounts in manifest["mounts"]["bytes"]["invert"].values():
        for mount in mounts:
            mount["media_type"] = media_type
    assert (await post(http, manifest)).status_code == 200
    [thing] = await served(http)
    assert "/" in thing["properties"]["invert_result"]["contentMediaType"]


async def test_one_deployment_posted_twice_at_once(
    app: App, files: FileServer, http: httpx.AsyncClient
) -> None:
    document = files.manifest("counter/manifest.json", deploymentId="c")
    answers = await asyncio.gather(*(post(http, document) for _ in range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len((await http.get("/deploy")).json()["deployments"]) == 1
    url = "/c/modules/counter/increment"
    assert [(await http.get(url)).json()["result"][0] for _ in range(3)] == ["1", "2", "3"]
    assert (await post(http, document)).status_code == 200  # with a fresh instance
    assert (await http.get(url)).json()["result"] == ["1", None]
    # One folder for the guest, and one for the files of its deployment.
    assert len(list((app.config.instance_path / "modules").iterdir())) == 2


async def test_a_replacement_while_functions_run(
    files: FileServer, http: httpx.AsyncClient
) -> None:
    """Every execution has a result or says why not; none is lost."""
    document = files.manifest("counter/manifest.json", deploymentId="c")
    await post(http, document)
    url = "/c/modules/counter/increment"

    async def execute() -> Any:
        answer = await http.get(url)
        assert answer.status_code == 200, answer.text
        said = answer.json()
        return said.get("result") or said["error"]

    async def replace() -> None:
        for _ in range(5):
            assert (await post(http, document)).status_code == 200

    replacing = asyncio.create_task(replace(), name="replace the deployment")
    results = []
    while not replacing.done():
        results += await asyncio.gather(*(execute() for _ in range(10)))
    await replacing
    assert all(results)
    assert (await http.get(url)).json()["result"]

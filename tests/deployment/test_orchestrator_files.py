"""Files that go into functions and come out, over an orchestrator's routes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from servient.app import App
from tests.deployment.writer import (
    endpoint,
    manifest,
    mount,
    serve_writer,
)
from tests.files import FileServer
from tests.tools import needs

RUN = "/d/modules/writer"
INPUT = mount("input", "execution", "image/png")
SPLIT = [INPUT, mount("a.jpeg", "output", "image/jpeg"), mount("b.txt", "output", "text/plain")]


@pytest.fixture
async def app(settings: Any) -> AsyncIterator[App]:
    """Over HTTP alone: no other wire has these routes."""
    async with App(settings(bindings="http")) as running:
        yield running


@pytest.fixture
async def http(app: App):  # type: ignore[no-untyped-def]  # an async generator of httpx's client
    async with httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30) as client:
        yield client


@contextlib.asynccontextmanager
async def open_servient(settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        App(settings(bindings="http")) as app,
        httpx.AsyncClient(base_url=app.addresses()["http"]) as client,
    ):
        yield client


async def deploy(http: httpx.AsyncClient, document: Any) -> None:
    answer = await http.post("/deploy", json=document)
    assert answer.status_code == 200, answer.text


async def deploy_split(files: FileServer, http: httpx.AsyncClient, **members: Any) -> None:
    serve_writer(files)
    endpoints = {"split": endpoint(media_type="image/jpeg")}
    await deploy(http, manifest(files, endpoints, {"split": SPLIT}, **members))


async def run(http: httpx.AsyncClient, function: str, **sent: Any) -> dict[str, Any]:
    """The history entry of an execution."""
    answer = await http.post(f"{RUN}/{function}", **sent)
    assert answer.status_code == 200, answer.text
    entry: dict[str, Any] = (await http.get(answer.json()["resultUrl"])).json()
    assert answer.json().get("result") == (entry["result"] if entry["success"] else None)
    return entry


async def test_all_files_of_a_function_come_out(files: FileServer, http: httpx.AsyncClient) -> None:
    await deploy_split(files, http)
    entry = await run(http, "split", files={"input": ("blob", b"0123456789", "image/png")})
    assert entry["result"] == [None, ["a.jpeg", "b.txt"]]
    outputs = [await http.get(url) for url in entry["outputs"]]
    assert [(each.content, each.headers["content-type"]) for each in outputs] == [
        (b"0123456789", "image/jpeg"),
        (b"01234", "text/plain"),
    ]
    assert {each.headers["access-control-allow-origin"] for each in outputs} == {"*"}
    assert {each.headers["content-security-policy"] for each in outputs} == {"sandbox"}

    # In the Thing, each is a property of its own.
    thing = (await http.get("/things/d:writer")).json()
    assert thing["actions"]["split"]["wasm:fileProperties"] == ["split_b_txt"]
    assert thing["properties"]["split_b_txt"]["contentMediaType"] == "text/plain"
    answer = await http.get("/things/d:writer/properties/split_b_txt")
    assert (answer.content, answer.headers["content-type"]) == (b"01234", "text/plain")
    answer = await http.get("/things/d:writer/properties/split_result")
    assert answer.content == b"0123456789"


async def test_a_number_and_files_come_out(files: FileServer, http: httpx.AsyncClient) -> None:
    serve_writer(files)
    await deploy(http, manifest(files, {"split": endpoint()}, {"split": SPLIT}))
    entry = await run(http, "split", files={"input": b"0123456789"})
    assert entry["result"] == ["10", ["a.jpeg", "b.txt"]]
    assert (await http.get(entry["outputs"][1])).content == b"01234"
    assert (await http.get("/things/d:writer/properties/split_result")).json() == 10
    answer = await http.get("/things/d:writer/properties/split_a_jpeg")
    assert answer.content == b"0123456789"


async def test_the_result_has_to_be_written_and_others_need_not(
    files: FileServer, http: httpx.AsyncClient
) -> None:
    serve_writer(files)
    two = [mount("a.jpeg", "output", "image/jpeg"), mount("b.txt", "output", "text/plain")]
    half = endpoint(media_type="image/jpeg")
    await deploy(http, manifest(files, {"half": half}, {"half": two}))
    answer = await http.post(f"{RUN}/half")
    assert answer.json()["status"] == "error"
    assert "'a.jpeg' and returned 7" in answer.json()["error"]
    await deploy(http, manifest(files, {"half": half}, {"half": two[::-1]}))
    entry = await run(http, "half")
    assert entry["result"] == [None, ["b.txt"]]


@pytest.mark.parametrize("media_type", ["image/jpeg", "application/json", "text/html", "no type"])
async def test_a_file_is_of_the_type_that_is_declared(
    media_type: str, files: FileServer, http: httpx.AsyncClient
) -> None:
    serve_writer(files)
    mounts = {"half": [mount("b.txt", "output", media_type)]}
    await deploy(http, manifest(files, {"half": endpoint(media_type=media_type)}, mounts))
    entry = await run(http, "half")
    answer = await http.get(entry["outputs"][0])
    known = media_type if "/" in media_type else "application/octet-stream"
    assert (answer.content, answer.headers["content-type"]) == (b"made", known)
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_concurrent_requests_do_not_see_each_others_files(
    files: FileServer, http: httpx.AsyncClient
) -> None:
    await deploy_split(files, http)

    async def one(number: int) -> None:
        sent = bytes([number]) * (100 + number)
        entry = await run(http, "split", files={"input": sent})
        whole, half = [(await http.get(url)).content for url in entry["outputs"]]
        assert (whole, half) == (sent, sent[: len(sent) // 2])

    await asyncio.gather(*(one(number) for number in range(40)))


async def test_the_newest_file_by_its_place(
    app: App, files: FileServer, http: httpx.AsyncClient
) -> None:
    await deploy_split(files, http)
    assert (await http.get(f"{RUN}/split/a.jpeg")).status_code == 404
    for body in (b"first", b"second"):
        entry = await run(http, "split", files={"input": body})
    places = [
        f"{RUN}/split/a.jpeg",
        "/module_results/writer/a.jpeg",
        "/module_results/w1/a.jpeg",
        "/module_results/d/writer/a.jpeg",
        "/module_results/d/w1/a.jpeg",
        f"{app.addresses()['http']}//module_results/d/w1/a.jpeg",
    ]
    for place in places:
        answer = await http.get(place)
        assert (answer.status_code, answer.content) == (200, b"second"), place
        assert answer.headers["access-control-allow-origin"] == "*"
        assert (await http.head(place)).status_code == 200
    strange = ["/module_results/e/w1/a.jpeg", "/module_results/other/a.jpeg", f"{RUN}/half/a.jpeg"]
    for place in (*strange, f"{RUN}/split/c", "/module_results/writer/..%2f..%2fservient-id"):
        answer = await http.get(place)
        assert answer.status_code == 404, place
        assert answer.json()["status"] == "error"

    # The files of the deployment go with it; what an execution made is in the history.
    assert (await http.delete("/deploy/d")).status_code == 200
    for place in places:
        assert (await http.get(place)).status_code == 404
    assert (await http.get(entry["outputs"][0])).content == b"second"


async def test_files_of_two_deployments_do_not_overwrite_each_other(
    files: FileServer, http: httpx.AsyncClient
) -> None:
    for deployment in ("d", "e"):
        await deploy_split(files, http, deployment=deployment)
    for deployment in ("d", "e"):
        url = f"/{deployment}/modules/writer/split"
        await http.post(url, files={"input": deployment.encode() * 4})
    for deployment in ("d", "e"):
        answer = await http.get(f"/module_results/{deployment}/w1/b.txt")
        assert answer.content == deployment.encode() * 2
    assert (await http.get("/module_results/writer/b.txt")).content == b"ee"  # the newest


async def test_files_are_there_after_a_restart(settings: Any, files: FileServer) -> None:
    async with open_servient(settings) as http:
        await deploy_split(files, http)
        entry = await run(http, "split", files={"input": b"0123456789"})
    async with open_servient(settings) as http:
        again = (await http.get(f"/request-history/{entry['request_id']}")).json()
        assert (again["result"], again["method"]) == (entry["result"], "POST")
        link = f"/request-history/{entry['request_id']}/a.jpeg"
        assert again["outputs"][0] == f"{str(http.base_url).rstrip('/')}{link}"
        assert (await http.get(link)).content == b"0123456789"
        assert (await http.get("/module_results/d/w1/b.txt")).content == b"01234"
        answer = await http.get("/things/d:writer/properties/split_b_txt")
        assert (answer.content, answer.headers["content-type"]) == (b"01234", "text/plain")


async def test_files_go_by_the_names_of_fields(files: FileServer, http: httpx.AsyncClient) -> None:
    serve_writer(files)
    mounts = {"sizes": [mount("input", "execution"), mount("other", "execution")]}
    sizes = endpoint(("factor", "integer"))
    await deploy(http, manifest(files, {"sizes": sizes}, mounts))
    sent: dict[str, Any] = {
        "other": ("blob", b"x" * 3),
        "unknown": b"?",
        "input": ("blob", b"x" * 7),
    }
    entry = await run(http, "sizes", params={"factor": 10}, files=sent)
    assert entry["result"] == ["73", None]
    assert entry["request_args"] == {"factor": 10}
    assert entry["request_files"] == {"input": "input", "other": "other"}
    # A parameter may be a field too; where it is in the URL, that counts.
    entry = await run(http, "sizes", data={"factor": "100"}, files=sent)
    assert entry["result"] == ["703", None]

    for missing in ("input", "other"):
        partly = {name: body for name, body in sent.items() if name != missing}
        answer = await http.post(f"{RUN}/sizes?factor=1", files=partly)
        assert answer.status_code == 400
        assert repr(missing) in answer.json()["error"]
        assert answer.json()["errors"][0]["pointer"] == f"/{missing}"
    for body in (b"", b"a body that is no form"):
        answer = await http.post(f"{RUN}/sizes?factor=1", content=body)
        assert answer.status_code == 400
        assert "'input'" in answer.json()["error"]
    answer = await http.post(f"{RUN}/sizes", files=sent)
    assert answer.status_code == 400
    assert "'factor'" in answer.json()["error"]


async def test_a_single_file_may_come_in_any_way(
    files: FileServer, http: httpx.AsyncClient
) -> None:
    await deploy_split(files, http)
    ways: list[dict[str, Any]] = [
        {"files": {"input": b"body"}},
        {"files": {"data": ("picture.png", b"body")}},
        {"content": b"body", "headers": {"Content-Type": "image/png"}},
        {"content": b"body", "headers": {"Content-Type": "application/json"}},
        {"content": b"body", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"content": b"body"},
    ]
    for way in ways:
        for method in ("POST", "PUT", "GET"):
            answer = await http.request(method, f"{RUN}/split", **way)
            assert answer.json()["result"] == [None, ["a.jpeg", "b.txt"]], (method, way)
            entry = (await http.get(answer.json()["resultUrl"])).json()
            assert (await http.get(entry["outputs"][0])).content == b"body"
            assert (entry["method"], entry["request_files"]) == (method, {"input": "input"})
    noise = {"content": b"[object Object]", "headers": {"Content-Type": "text/plain"}}
    two = {"files": {"one": b"1", "two": b"2"}}
    useless: list[dict[str, Any]] = [{}, noise, two]
    for way in useless:
        answer = await http.post(f"{RUN}/split", **way)
        assert answer.status_code == 400
        assert answer.json()["error"].startswith("the file 'input' is missing")


async def test_curl_sends_a_file_to_a_function_of_the_older_manifest(
    app: App, files: FileServer, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    curl = needs("curl")
    serve_writer(files)
    operation = {
        "parameters": [{"name": "input", "in": "requestBody", "required": True, "schema": {}}],
        "responses": {"200": {"content": {"image/jpeg": {}}}},
    }
    document = manifest(files, {})
    del document["endpoints"], document["mounts"]
    instructions = {"writer": {"split": {"paths": {"": {"get": operation}}, "to": None}}}
    await deploy(http, document | {"instructions": {"modules": instructions}})
    picture = tmp_path / "picture"
    picture.write_bytes(b"a picture")
    url = f"{app.addresses()['http']}{RUN}/split"
    for field in ("input", "data"):
        process = await asyncio.create_subprocess_exec(
            curl, "-sS", "-F", f"{field}=@{picture}", url, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await process.communicate()
        # Of the files that it wrote, which the manifest does not name, the first.
        assert b'"result":[null,["a.jpeg"]]' in said, said
    assert (await http.get(f"{RUN}/split/a.jpeg")).content == b"a picture"

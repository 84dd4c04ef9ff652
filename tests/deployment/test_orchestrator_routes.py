"""Executing functions over an orchestrator's routes, and the history that it reads."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from servient.app import App
from servient.bindings.http.binding import HttpBinding
from servient.bindings.orchestrator.routes import OrchestratorRoutes
from servient.journal import Journal
from tests.deployment.writer import endpoint, manifest, serve_writer
from tests.files import FileServer
from tests.orchestrator.javascript import is_truthy, to_url

RUN = "/d/modules/writer"
ADD = endpoint(("a", "integer"), ("b", "int64"))


@pytest.fixture
async def app(settings: Any) -> AsyncIterator[App]:
    """Over HTTP alone: no other wire has these routes."""
    async with App(settings(bindings="http")) as running:
        yield running


@pytest.fixture
async def http(app: App, files: FileServer):  # type: ignore[no-untyped-def]  # of httpx's client
    """With the module `writer` deployed."""
    serve_writer(files)
    endpoints = {
        "add": ADD,
        "flip": endpoint(("value", "boolean"), kind="boolean"),
        "nothing": endpoint(),
        "dotted.name": endpoint(),
        "trap": endpoint(),
    }
    async with httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30) as client:
        answer = await client.post("/deploy", json=manifest(files, endpoints))
        assert answer.status_code == 200, answer.text
        yield client


@contextlib.asynccontextmanager
async def impatient(app: App) -> AsyncIterator[httpx.AsyncClient]:
    """A client of routes that hold no request for long."""
    routes = OrchestratorRoutes(app.servient, "servient", Journal(), hold_seconds=0.05)
    binding = HttpBinding("127.0.0.1", "127.0.0.1", 0, extensions=(routes,))
    await binding.start(app.servient)
    try:
        async with httpx.AsyncClient(base_url=binding.origin, timeout=30) as client:
            yield client
    finally:
        await binding.stop()


# Results


async def test_every_method_runs_the_function(http: httpx.AsyncClient) -> None:
    for method in ("GET", "POST", "PUT"):
        answer = await http.request(method, f"{RUN}/add?b=2&a=40")
        assert answer.status_code == 200
        link = answer.json()["resultUrl"]
        assert answer.json() == {"resultUrl": link, "result": ["42", None]}
        assert (await http.get(link)).json()["method"] == method


RESULTS = [
    ("add?a=0&b=0", "0"),
    ("add?a=-1&b=0", "-1"),
    ("add?a=9007199254740992&b=1", "9007199254740993"),
    ("add?a=2.0&b=1", "3"),
    ("add?a=1&a=100&b=1", "2"),  # of a parameter that is repeated, the first
    ("add?b=1&unknown=5&a=1", "2"),
    ("flip?value=true", "false"),
    ("flip?value=0", "true"),
    ("nothing", "null"),
    ("dotted.name", "5"),
]


async def test_a_result_is_truthy_and_no_link(http: httpx.AsyncClient) -> None:
    for call, text in RESULTS:
        answer = (await http.get(f"{RUN}/{call}")).json()
        entry = (await http.get(answer["resultUrl"])).json()
        for document in (answer, entry):
            assert document["result"] == [text, None], call
            assert is_truthy(document["result"])
            assert to_url(document["result"]) is None


async def test_a_body_that_means_nothing_is_not_looked_at(http: httpx.AsyncClient) -> None:
    bodies = [
        (b"[object Object]", "text/plain;charset=UTF-8"),
        (b'{"foo":"bar"}', "application/json"),
        (b"{not json", "application/json"),
        (b"--x", "multipart/form-data; boundary=x"),
        (b"\xff" * 1000, "application/octet-stream"),
    ]
    for body, media_type in bodies:
        headers = {"Content-Type": media_type}
        answer = await http.post(f"{RUN}/add?a=1&b=2", content=body, headers=headers)
        assert answer.json()["result"] == ["3", None], body


async def test_many_at_once(http: httpx.AsyncClient) -> None:
    async def add(number: int) -> Any:
        method = ("GET", "POST", "PUT")[number % 3]
        answer = await http.request(method, f"{RUN}/add?b={number}&a=1000")
        return answer.json()["result"][0]

    sums = await asyncio.gather(*map(add, range(90)))
    assert sums == [str(1000 + number) for number in range(90)]


# History


async def test_an_entry_has_every_member(http: httpx.AsyncClient) -> None:
    headers = {"Host": "device.example:5001", "X-Chain-Step": "2"}
    answer = await http.get(f"{RUN}/add?a=1&b=2", headers=headers)
    link = answer.json()["resultUrl"]
    entry = (await http.get(link.removeprefix("http://device.example:5001"))).json()
    number = entry["request_id"].removeprefix("d:writer:add:")
    assert number.isdigit()
    queued_at = datetime.fromisoformat(entry.pop("work_queued_at"))
    assert timedelta() <= datetime.now(UTC) - queued_at < timedelta(minutes=1)
    # The entry is told under the name by which each client calls the servient.
    link = f"{str(http.base_url).rstrip('/')}/request-history/d:writer:add:{number}"
    assert entry == {
        "request_id": f"d:writer:add:{number}",
        "deployment_id": "d",
        "module_name": "writer",
        "function_name": "add",
        "method": "GET",
        "request_args": {"a": 1, "b": 2},
        "request_files": {},
        "step_index": 2,
        "success": True,
        "result": ["3", None],
        "outputs": [],
        "resultUrl": link,
    }


async def test_a_place_in_a_chain_is_a_number_or_nothing(http: httpx.AsyncClient) -> None:
    for text in ("-1", "one", "1.5", "9" * 100, "²", ""):
        headers = {b"X-Chain-Step": text.encode()}
        answer = await http.get(f"{RUN}/nothing", headers=headers)
        entry = (await http.get(answer.json()["resultUrl"])).json()
        assert entry["step_index"] is None, text


async def test_the_history_lists_executions_over_every_wire(http: httpx.AsyncClient) -> None:
    await http.get(f"{RUN}/dotted.name")
    await http.post("/things/d:writer/actions/add", json={"a": 1, "b": 1})
    await http.get(f"{RUN}/trap")
    entries = (await http.get("/request-history")).json()
    assert [(each["function_name"], each["success"]) for each in entries] == [
        ("dotted.name", True),
        ("add", True),
        ("trap", False),
    ]
    assert [each["method"] for each in entries] == ["GET", None, "GET"]
    for each in entries:
        answer = await http.get(each["resultUrl"])
        assert answer.status_code == (200 if each["success"] else 500)
        assert answer.json() == each


async def test_what_failed_is_no_success(http: httpx.AsyncClient) -> None:
    answer = await http.get(f"{RUN}/trap")
    said = answer.json()
    assert answer.status_code == 200  # of another status, an orchestrator shows the number alone
    assert (said["status"], said.get("result")) == ("error", None)
    assert "trapped" in said["error"]
    entry = await http.get(said["resultUrl"])
    assert entry.status_code == 500
    assert entry.json()["error"] == said["error"]
    assert (entry.json()["success"], entry.json()["status"]) == (False, "error")


async def test_an_entry_is_held_until_the_run_ends(settings: Any, files: FileServer) -> None:
    async with (
        App(settings(module_timeout_seconds=1.0, bindings="http")) as app,
        impatient(app) as hasty,
        httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30) as http,
    ):
        document = files.manifest("endless/manifest.json", deploymentId="e")
        assert (await http.post("/deploy", json=document)).status_code == 200
        answer = (await hasty.post("/e/modules/endless/forever")).json()
        assert answer.keys() == {"resultUrl"}  # which is not ready either
        entry = await hasty.get(answer["resultUrl"])
        assert (entry.status_code, entry.json()["status"]) == (404, "error")
        assert not is_truthy(entry.json().get("error"))
        for name in ("", "/some.file"):
            path = answer["resultUrl"].removeprefix(str(hasty.base_url).rstrip("/"))
            waiting = await hasty.get(path + name)
            assert waiting.status_code == 404
        [running] = (await http.get("/request-history")).json()
        assert (running["success"], running["result"]) == (False, None)

        entry = await http.get(path)
        assert entry.status_code == 500
        assert "1 s" in entry.json()["error"]


async def test_a_client_that_leaves_does_not_stop_its_run(
    app: App, files: FileServer, http: httpx.AsyncClient
) -> None:
    document = files.manifest("endless/manifest.json", deploymentId="e")
    assert (await http.post("/deploy", json=document)).status_code == 200
    with pytest.raises(httpx.ReadTimeout):
        await http.post("/e/modules/endless/spin?millions=2000", timeout=0.2)
    [entry] = (await http.get("/request-history")).json()
    answer = await http.get(entry["resultUrl"])
    assert answer.status_code in (200, 500)
    assert answer.json()["function_name"] == "spin"


# What is refused


REFUSALS = [
    ("GET", "/x/modules/writer/add", 404, "'x'"),
    ("GET", "/d/modules/x/add", 404, "'x'"),
    ("POST", "/d/modules/writer/x", 404, "'x'"),
    ("POST", "/d/modules/writer/dotted_name", 404, "'dotted_name'"),  # the action of another
    ("PUT", "/d/modules/writer/half", 404, "'half'"),  # exported, but not deployed
    ("GET", "/d:writer/modules/writer/add", 404, "'d:writer'"),
    ("GET", "/d/modules//add", 404, "''"),
    ("GET", "/d/modules/..%2f..%2f/add", 404, "../../"),
    ("GET", f"{RUN}/add?a=1", 400, "'b'"),
    ("GET", f"{RUN}/add", 400, "'a'"),
    ("GET", f"{RUN}/add?a=1&b=x", 400, "/b"),
    ("GET", f"{RUN}/add?a=1&b=", 400, "/b"),
    ("GET", f"{RUN}/add?a=1.5&b=1", 400, "/a"),
    ("GET", f"{RUN}/add?a=1&b=9223372036854775808", 400, "/b"),
    ("GET", f"{RUN}/add?a=1&b=NaN", 400, "/b"),
    ("GET", f"{RUN}/add?a=1&b=null", 400, "/b"),
    ("GET", "/request-history/unknown", 404, "'unknown'"),
    ("GET", "/request-history/unknown/file", 404, "'unknown'"),
    ("DELETE", "/deploy/x", 404, "'x'"),
    ("POST", "/deploy", 400, ""),
]


async def test_a_refusal_says_why_in_the_orchestrators_shape(http: httpx.AsyncClient) -> None:
    for method, path, status, named in REFUSALS:
        answer = await http.request(method, path)
        assert answer.status_code == status, (path, answer.text)
        said = answer.json()
        assert said["status"] == "error"
        assert said["result"] == said["error"]
        assert named in said["error"], path
        assert answer.headers["access-control-allow-origin"] == "*"


async def test_no_other_thing_is_run(app: App, http: httpx.AsyncClient) -> None:
    """Things are found by their ids and titles too, and not all of them are modules."""
    [described] = [
        thing for thing in app.servient.enabled_exposed_things if thing.name == "d:writer"
    ]
    deployment, _, module = str(described.description.id).partition(":")
    for path in (
        f"/{deployment}/modules/{module}/add",
        "/servient/modules/servient/deploy",
        "/things/modules/servient/deploy",
    ):
        assert (await http.post(path, json={})).status_code == 404


async def test_looking_does_not_run_the_function(
    files: FileServer, http: httpx.AsyncClient
) -> None:
    document = files.manifest("counter/manifest.json", deploymentId="c")
    await http.post("/deploy", json=document)
    url = "/c/modules/counter/increment"
    for _ in range(3):
        assert (await http.head(url)).status_code == 200
        assert (await http.options(url)).status_code == 204
        assert (await http.patch(url)).status_code == 405
    assert (await http.head(url + "s")).status_code == 404
    assert (await http.get(url)).json()["result"] == ["1", None]


ROUTES = [
    ("GET", "/deploy"),
    ("POST", "/deploy"),
    ("DELETE", "/deploy/x"),
    ("GET", "/request-history"),
    ("GET", "/request-history/x"),
    ("GET", "/request-history/x/file"),
    ("GET", "/module_results/x/file"),
    ("GET", "/module_results/d/x/file"),
    ("PUT", f"{RUN}/add"),
    ("GET", f"{RUN}/add/file"),
]


async def test_pages_of_other_origins_may_call_every_route(http: httpx.AsyncClient) -> None:
    asked = {
        "Origin": "http://orchestrator.example:3000",
        "Access-Control-Request-Headers": "content-type, x-chain-step",
    }
    origin = str(http.base_url).rstrip("/")
    # Orchestrators join "http://host/" and "/deploy".
    for method, url in [*ROUTES, *((method, f"{origin}/{path}") for method, path in ROUTES)]:
        headers = {**asked, "Access-Control-Request-Method": method}
        answer = await http.options(url, headers=headers)
        assert answer.status_code == 204, url
        assert answer.headers["access-control-allow-origin"] == "*"
        assert method in answer.headers["access-control-allow-methods"]
        allowed = answer.headers["access-control-allow-headers"].lower()
        assert {"content-type", "x-chain-step"} <= set(allowed.split(", "))
        answer = await http.request(method, url, headers=headers)
        assert answer.headers["access-control-allow-origin"] == "*"
        # The route is there, whatever it says of what is asked.
        assert answer.headers["content-type"] == "application/json"

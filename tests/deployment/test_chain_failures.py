"""Next steps that are away, fail or misbehave: the run fails, and says which step and why."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from servient.app import App
from servient.config import Config
from tests.deployment.chains import ChainFailed, Machines, Stranger, endpoint, stranger
from tests.files import FileServer
from tests.orchestrator import uploads
from tests.orchestrator.modules import Function, Module

REASONS = {
    "/garbage": "its answer is not a JSON object",
    "/not-http": "",
    "/huge": "its answer is larger than 1048576 bytes",
    "/endless": "its answer is larger than 1048576 bytes",
    "/endless-head": "",
    "/redirect": "it answered 302 Found, and redirects are not followed",
    "/compressed": "its answer came compressed, which was not asked for",
    "/no-link": "its answer has no usable resultUrl",
    "/odd-link": "its answer has no usable resultUrl",
    "/failed": "out of memory",
    "/refused": "no such module",
    "/broken": "it answered 500 Internal Server Error",
    "/hang-up": "Server disconnected without sending a response.",
    "/drip": "did not answer within 1 s",
    "/silent": "did not answer within 1 s",
}


@pytest.fixture
async def app(settings: Callable[..., Config]) -> AsyncIterator[App]:
    async with App(settings(bindings=("http",), chain_timeout_seconds=1)) as running:
        yield running


@pytest.fixture
async def machines(files: FileServer) -> AsyncIterator[Machines]:
    async with httpx.AsyncClient(timeout=30) as http:
        yield Machines(http, files)


@pytest.fixture
async def elsewhere() -> AsyncIterator[Stranger]:
    async with stranger() as served:
        yield served


async def failure(machines: Machines, url: str, **parameters: int) -> str:
    """What the caller is told, which the history says too."""
    answer = (await machines.http.get(url, params=parameters or {"param0": 4})).json()
    assert answer["status"] == "error"
    entry = await machines.http.get(answer["resultUrl"])
    assert entry.status_code == 500
    assert entry.json()["success"] is False
    assert entry.json()["error"] == answer["error"]
    return str(answer["error"])


async def test_every_way_to_misbehave(app: App, machines: Machines, elsewhere: Stranger) -> None:
    here = app.addresses()["http"]
    for path, reason in REASONS.items():
        to = endpoint(elsewhere.origin, path)
        url = await machines.chain((uploads.fibo(), "fibo", here), to=to)
        told = await failure(machines, url)
        assert told.startswith(f"the step {elsewhere.origin}{path} "), path
        assert reason in told, path
        thing = f"{here}/things/6b0245d64195de0afd6afcc8:fibo"
        answer = await machines.http.post(f"{thing}/actions/fibo", json={"param0": 4})
        assert (answer.status_code, answer.json()["detail"]) == (
            504 if "within" in reason else 502,
            told,
        )


@pytest.mark.parametrize(("method", "count"), [("get", 3), ("put", 3), ("post", 1)])
async def test_a_lost_request_is_repeated_where_that_is_safe(
    app: App, machines: Machines, elsewhere: Stranger, method: str, count: int
) -> None:
    here = app.addresses()["http"]
    to = endpoint(elsewhere.origin, "/hang-up", method)
    await failure(machines, await machines.chain((uploads.fibo(), "fibo", here), to=to))
    assert len(elsewhere.at("/hang-up")) == count

    to = endpoint(elsewhere.origin, "/hang-up-once", method)
    url = await machines.chain((uploads.fibo(), "fibo", here), to=to)
    if count == 1:
        await failure(machines, url)
    else:
        assert (await machines.run(url, params={"param0": 4}))["result"] == ["7", None]


@pytest.mark.parametrize("method", ["get", "post"])
async def test_a_step_that_is_away(app: App, machines: Machines, method: str) -> None:
    async with stranger() as gone:
        pass
    to = endpoint(gone.origin, "/done", method)
    here = app.addresses()["http"]
    url = await machines.chain((uploads.fibo(), "fibo", here), to=to)
    assert await failure(machines, url) == (
        f"the step {gone.origin}/done failed: it cannot be reached: connection refused"
    )


@pytest.mark.parametrize("machine", ["here", "there"])
async def test_the_step_that_failed_is_named_however_far_away(
    app: App, machines: Machines, settings: Callable[..., Config], tmp_path: Any, machine: str
) -> None:
    async with App(settings(bindings=("http",), instance_path=tmp_path / "other")) as other:
        here, there = app.addresses()["http"], other.addresses()["http"]
        last = here if machine == "here" else there
        trapping = (uploads.endless(), "trap", last)
        second = (uploads.fibo("fibo1", "fibo1"), "fibo", there)
        url = await machines.chain((uploads.fibo(), "fibo", here), second, trapping)
        told = await failure(machines, url)
    assert told.startswith(f"the step {machines.url(*trapping)} failed: ")
    assert "trapped" in told


async def test_a_step_that_takes_too_long(app: App, machines: Machines) -> None:
    here = app.addresses()["http"]
    forever = (uploads.endless(), "forever", here)
    url = await machines.chain((uploads.fibo(), "fibo", here), forever)
    assert await failure(machines, url) == (
        f"the step {machines.url(*forever)} did not end within 1 s"
    )


async def test_a_step_that_is_not_here_any_more(app: App, machines: Machines) -> None:
    here = app.addresses()["http"]
    to = endpoint(here, "/gone/modules/fibo/fibo")
    url = await machines.chain((uploads.fibo(), "fibo", here), to=to)
    told = await failure(machines, url)
    assert told.startswith(f"the step {here}/gone/modules/fibo/fibo failed: no module")


async def test_a_file_that_the_next_step_does_not_take(
    app: App, machines: Machines, elsewhere: Stranger
) -> None:
    to = endpoint(elsewhere.origin, "/done", "post")
    here = app.addresses()["http"]
    url = await machines.chain((uploads.bytes_module(), "invert", here), to=to)
    with pytest.raises(ChainFailed, match="the next step takes no file"):
        await machines.run(url, "POST", files={"image.jpeg": ("blob", b"x")})
    assert not elsewhere.received


async def test_a_chain_that_leads_back_to_itself_ends(
    app: App, machines: Machines, settings: Callable[..., Config], tmp_path: Any
) -> None:
    here = app.addresses()["http"]
    step = (constant(), "fibo", here)
    to = endpoint(here, machines.url(*step).removeprefix(here))
    url = await machines.chain(step, to=to)
    assert "a chain has at most 64 steps" in await failure(machines, url, x=1)

    async with App(settings(bindings=("http",), instance_path=tmp_path / "other")) as other:
        there = other.addresses()["http"]
        await machines.chain((constant(), "fibo", there), to=to)
        url = await machines.chain(step, to=endpoint(there, to["path"]))
        assert "a chain has at most 64 steps" in await failure(machines, url, x=1)


async def test_a_link_that_leads_back_is_not_handed_on(
    app: App, machines: Machines, elsewhere: Stranger
) -> None:
    """An orchestrator would follow it for ever, without a pause."""
    here = app.addresses()["http"]
    to = endpoint(elsewhere.origin, "/done")
    url = await machines.chain((uploads.fibo(), "fibo", here), to=to)
    first = (await machines.http.get(url, params={"param0": 4})).json()["resultUrl"]
    start, _, number = first.rpartition(":")
    elsewhere.link = f"{start}:{int(number) + 1}"
    assert "leads back" in await failure(machines, url)


async def test_a_servient_stops_while_a_step_is_waited_for(
    settings: Callable[..., Config], machines: Machines, elsewhere: Stranger
) -> None:
    async with App(settings(bindings=("http",), chain_timeout_seconds=600)) as app:
        here = app.addresses()["http"]
        to = endpoint(elsewhere.origin, "/silent")
        url = await machines.chain((uploads.fibo(), "fibo", here), to=to)
        waiting = asyncio.create_task(machines.http.get(url, params={"param0": 4}))
        while not elsewhere.received:
            await asyncio.sleep(0.01)
    await asyncio.wait([waiting])


async def test_proxies_of_the_environment_are_not_used(
    settings: Callable[..., Config],
    machines: Machines,
    elsewhere: Stranger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with App(settings(bindings=("http",))) as app:
        here = app.addresses()["http"]
        to = endpoint(elsewhere.origin, "/done")
        url = await machines.chain((uploads.fibo(), "fibo", here), to=to)
        assert (await machines.run(url, params={"param0": 4}))["result"] == ["7", None]


def constant() -> Module:
    """A function that gives one when it gets one."""
    function = Function("fibo", (("x", "integer"),))
    return Module("one", "one", uploads.fibo().wasm, {"fibo": function})

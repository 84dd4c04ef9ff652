"""Chains of functions: a result goes on to the next endpoint, on this machine and on another."""

import asyncio
import copy
import itertools
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiocoap
import httpx
import pytest
import wasmtime

from servient.app import App
from servient.bindings.http.form_data import parse_form
from servient.config import Config
from servient.wot.content import Content
from tests.consumers.coap import CoapConsumer
from tests.converters.test_sequence import step_of
from tests.deployment.chains import DEPLOYMENT, Machines, Stranger, endpoint, stranger
from tests.files import FileServer
from tests.manifests import load_manifest
from tests.orchestrator import uploads
from tests.orchestrator.modules import Function, Module, Mount

# Writes two files, whole, and returns nothing.
PAIR = """
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 32) "a.txt") (data (i32.const 48) "b.json")
  (data (i32.const 64) "some text") (data (i32.const 80) "[1, 2]")
  (func $write (param $name i32) (param $length i32) (param $text i32) (param $size i32)
    (if (call $path_open (i32.const 3) (i32.const 0) (local.get $name) (local.get $length)
        (i32.const 9) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 0))
      (then unreachable))
    (i32.store (i32.const 4) (local.get $text))
    (i32.store (i32.const 8) (local.get $size))
    (drop (call $fd_write (i32.load (i32.const 0)) (i32.const 4) (i32.const 1) (i32.const 12))))
  (func (export "write")
    (call $write (i32.const 32) (i32.const 5) (i32.const 64) (i32.const 9))
    (call $write (i32.const 48) (i32.const 6) (i32.const 80) (i32.const 6))))
"""


def pair() -> Module:
    mounts = (Mount("a.txt", "text/plain", "output"), Mount("b.json", "application/json", "output"))
    write = Function("write", output="text/plain", method="post", mounts=mounts)
    return Module("pair", "pair", bytes(wasmtime.wat2wasm(PAIR)), uploads.functions(write))


@pytest.fixture
async def apps(settings: Callable[..., Config], tmp_path: Any) -> AsyncIterator[tuple[App, App]]:
    first = settings(bindings=("http", "coap"), instance_path=tmp_path / "first")
    second = settings(bindings=("http",), instance_path=tmp_path / "second")
    async with App(first) as one, App(second) as other:
        yield one, other


@pytest.fixture
async def machines(files: FileServer) -> AsyncIterator[Machines]:
    async with httpx.AsyncClient(timeout=30) as http:
        yield Machines(http, files)


@pytest.fixture
async def elsewhere() -> AsyncIterator[Stranger]:
    async with stranger() as served:
        yield served


def urls(apps: tuple[App, App]) -> tuple[str, str]:
    first, second = (app.addresses()["http"] for app in apps)
    return first, second


def fibo(number: int) -> Module:
    return uploads.fibo(f"fibo{number}", f"fibo{number}")


@pytest.mark.parametrize("to", [0, 1], ids=["on one machine", "over two"])
async def test_the_real_manifests(apps: tuple[App, App], machines: Machines, to: int) -> None:
    """The second step counts, whatever it gets."""
    here, there = urls(apps)[0], urls(apps)[to]
    modules = {each.id: machines.offer(each) for each in (uploads.fibo(), uploads.stateful_fibo())}
    first, second = (real_manifest(f"device{number}", here, there) for number in (1, 2))
    for manifest in (first, second):
        manifest["modules"] = [modules[each["id"]] for each in manifest["modules"]]
    if to == 0:  # one deployment, which is sent once
        first["modules"] += second["modules"]
        for part in ("endpoints", "mounts"):
            first[part] |= second[part]
        first["instructions"]["modules"] |= second["instructions"]["modules"]
    else:
        await machines.deploy(there, second)
    await machines.deploy(here, first)
    url = f"{here}/{DEPLOYMENT}/modules/fibo/fibo"
    assert [await machines.value(url, param0=7) for _ in range(4)] == [1, 2, 3, 5]


def real_manifest(device: str, here: str, there: str) -> dict[str, Any]:
    text = json.dumps(load_manifest(f"deploy-chain-fibo-fibo-{device}"))
    text = text.replace("http://127.0.0.1:5001", here).replace("http://127.0.0.1:5002", there)
    manifest: dict[str, Any] = json.loads(text)
    return manifest


@pytest.mark.parametrize("places", [(0, 1, 0), (0, 0, 0), (0, 1, 1), (0, 0, 1)])
async def test_three_steps(
    apps: tuple[App, App], machines: Machines, places: tuple[int, ...]
) -> None:
    hosts = [urls(apps)[place] for place in places]
    url = await machines.chain(*((fibo(n), "fibo", host) for n, host in enumerate(hosts)))
    assert await machines.value(url, param0=3) == 3
    entry = await machines.run(url, params={"param0": 4})
    assert entry["result"] == ["34", None]
    assert [link.partition("/request-history/")[0] for link in entry["links"]] == hosts[1:]


async def test_every_entry_of_a_chain_is_linked_to_the_next(
    apps: tuple[App, App], machines: Machines
) -> None:
    here, there = urls(apps)
    url = await machines.chain((fibo(0), "fibo", here), (fibo(1), "fibo", there))
    answer = (await machines.http.get(url, params={"param0": 4})).json()
    assert answer["result"].startswith(f"{there}/request-history/")
    entry = (await machines.http.get(answer["resultUrl"])).json()
    assert (entry["success"], entry["result"], entry["resultUrl"]) == (
        True,
        answer["result"],
        answer["result"],
    )


async def test_files_go_on_and_take_the_name_that_is_asked_for(
    apps: tuple[App, App], machines: Machines
) -> None:
    here, there = urls(apps)
    for to in (here, there):
        url = await machines.chain(
            (uploads.bytes_module(), "invert", here),
            (uploads.bytes_module(), "size_with_table", to),
        )
        parts = {"image.jpeg": ("blob", bytes(1000), "application/octet-stream")}
        entry = await machines.run(url, "POST", files=parts)
        assert entry["result"] == [str(1000 + len(uploads.TABLE_BYTES)), None]


async def test_several_files_are_as_many_parts(
    apps: tuple[App, App], machines: Machines, elsewhere: Stranger
) -> None:
    to = endpoint(elsewhere.origin, "/done", "post", (), ("a.txt", "b.json"))
    url = await machines.chain((pair(), "write", urls(apps)[0]), to=to)
    entry = await machines.run(url, "POST")
    assert entry["result"] == ["7", None]
    (received,) = elsewhere.at("/done")
    assert received.method == "POST"
    assert received.body.count(b'filename="blob"') == 2
    assert parse_form(received.headers["content-type"], received.body) == {
        "a.txt": Content(b"some text", "text/plain"),
        "b.json": Content(b"[1, 2]", "application/json"),
    }


@pytest.mark.parametrize("method", ["get", "post", "put"])
async def test_what_a_next_step_is_told(
    apps: tuple[App, App], machines: Machines, elsewhere: Stranger, method: str
) -> None:
    to = endpoint(elsewhere.origin, "/a b/done", method, (("first", "integer"), ("x", "integer")))
    url = await machines.chain((uploads.fibo(), "fibo", urls(apps)[0]), to=to)
    passed_on = {
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "tracestate": "vendor=1",
        "baggage": "user=7",
        "x-request-id": "r1",
    }
    headers = {**passed_on, "X-Chain-Step": "4", "Authorization": "Bearer secret", "Cookie": "c=1"}
    await machines.run(url, params={"param0": 7}, headers=headers)
    (received,) = elsewhere.at("/a%20b/done")
    assert (received.method, received.target) == (method.upper(), "/a%20b/done?first=21")
    assert received.headers.items() >= passed_on.items()
    assert received.headers["x-chain-step"] == "5"
    assert received.body == b""
    assert not {"authorization", "cookie"} & received.headers.keys()


async def test_a_chain_begins_over_coap_too(apps: tuple[App, App], machines: Machines) -> None:
    here, there = urls(apps)
    await machines.chain(*((fibo(n), "fibo", to) for n, to in enumerate((here, there, here))))
    td = (await machines.http.get(f"{here}/things/{DEPLOYMENT}:fibo0")).json()
    consumer = CoapConsumer(td)
    try:
        assert await consumer.invoke("fibo", {"param0": 4}) == 5
    finally:
        await consumer.close()
    for number, (machine, value) in enumerate(((here, 5), (there, 8), (here, 34))):
        thing = f"{machine}/things/{DEPLOYMENT}:fibo{number}"
        assert (await machines.http.get(f"{thing}/properties/fibo_result")).json() == value


async def test_a_failure_is_told_over_coap_too(
    apps: tuple[App, App], machines: Machines, elsewhere: Stranger
) -> None:
    to = endpoint(elsewhere.origin, "/failed")
    await machines.chain((fibo(0), "fibo", urls(apps)[0]), to=to)
    context = await aiocoap.Context.create_client_context(transports=["udp6"])
    try:
        path = f"things/{DEPLOYMENT}:fibo0/actions/fibo"
        message = aiocoap.Message(
            code=aiocoap.POST,
            uri=f"{apps[0].addresses()['coap']}/{path}",
            payload=b'{"param0": 4}',
            content_format=50,
        )
        answer = await context.request(message).response
    finally:
        await context.shutdown()
    assert answer.code is aiocoap.BAD_GATEWAY
    assert "out of memory" in json.loads(answer.payload)["detail"]


async def test_sixteen_at_once(apps: tuple[App, App], machines: Machines) -> None:
    here, there = urls(apps)
    chain = ((fibo(n), "fibo", to) for n, to in enumerate((here, there, here, there)))
    url = await machines.chain(*chain)
    firsts = [1, 2, 3, 4] * 4
    values = await asyncio.gather(*(machines.value(url, param0=first) for first in firsts))
    assert values == [1, 2, 3, 9227465] * 4


async def test_a_supervisor_that_answers_before_it_runs(
    apps: tuple[App, App], machines: Machines, elsewhere: Stranger
) -> None:
    to = endpoint(elsewhere.origin, "/done")
    url = await machines.chain((fibo(0), "fibo", urls(apps)[0]), to=to)
    answer = (await machines.http.get(url, params={"param0": 4})).json()
    assert answer["result"] == f"{elsewhere.origin}/request-history/1"
    assert not elsewhere.at("/request-history/1")  # following the link is for the caller


async def test_a_chain_goes_on_after_a_restart(
    settings: Callable[..., Config], machines: Machines, elsewhere: Stranger
) -> None:
    config = settings(bindings=("http",))
    async with App(config) as app:
        here = app.addresses()["http"]
        to = endpoint(elsewhere.origin, "/done")
        url = await machines.chain((fibo(0), "fibo", here), (fibo(1), "fibo", here), to=to)
        assert (await machines.run(url, params={"param0": 4}))["result"] == ["7", None]
    async with App(config) as app:
        url = url.replace(here, app.addresses()["http"])  # the manifest says the earlier port
        answer = (await machines.http.get(url, params={"param0": 4})).json()
    assert "error" not in answer
    assert [each.target for each in elsewhere.at("/done")] == ["/done?x=8"] * 2


async def test_a_sequence_in_which_a_function_stands_twice(
    apps: tuple[App, App], machines: Machines
) -> None:
    here, there = urls(apps)
    steps = [step(machines, "first", here), step(machines, "second", there)]
    steps += [step(machines, "first", here), step(machines, "first", here)]
    for each, following in itertools.pairwise(steps):
        each["instructions"]["to"] = following["endpoint"]
    document = {"_id": "x", "active": None, "fullManifest": {"sequence": steps}}
    for machine, my_id in ((here, "first"), (there, "second")):
        await machines.deploy(machine, {**document, "myId": my_id})
    url = f"{here}/{DEPLOYMENT}/modules/fibo/fibo"
    assert await machines.value(url, param0=3) == 3
    entry = await machines.run(url, params={"param0": 4}, headers={"X-Chain-Step": "0"})
    assert entry["result"] == ["9227465", None]
    assert [link.partition("/request-history/")[0] for link in entry["links"]] == [
        there,
        here,
        here,
    ]
    last = {"X-Chain-Step": "3"}
    assert (await machines.run(url, params={"param0": 4}, headers=last))["links"] == []
    between = {"X-Chain-Step": "1"}
    answer = await machines.http.get(url, params={"param0": 4}, headers=between)
    assert "step 0 and 2 and 3" in answer.json()["error"]


def step(machines: Machines, device: str, machine: str) -> dict[str, Any]:
    """A step of the newer shape, made from the real manifest."""
    made = step_of(real_manifest("device1", machine, machine), device, "fibo", "fibo")
    made["module"] = machines.offer(uploads.fibo())
    made["instructions"]["to"] = None
    return copy.deepcopy(made)

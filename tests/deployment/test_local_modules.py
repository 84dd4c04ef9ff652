"""Modules that come in their manifest: no file server, no endpoints, over every protocol."""

import base64
import json
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import minisign
import pytest

from servient.app import App
from servient.config import Config
from servient.deployment.fetch import Fetcher
from servient.deployment.fetch_limits import FetchLimits
from servient.deployment.reach import Reach
from servient.errors import FetchFailed
from tests.consumers.coap import CoapConsumer
from tests.consumers.consumer import Consumer, Refused
from tests.consumers.http import HttpConsumer
from tests.consumers.mqtt import MqttConsumer
from tests.consumers.websocket import WebSocketConsumer
from tests.files import EXAMPLES

Settings = Callable[..., Config]

CONSUMERS: dict[str, Callable[[dict[str, Any]], Consumer]] = {
    "http": HttpConsumer,
    "coap": CoapConsumer,
    "websocket": lambda td: WebSocketConsumer(td, dialect="webthingprotocol"),
    "mqtt": lambda td: MqttConsumer(td, version=5),
}


def data_url(content: bytes, media_type: str = "application/wasm") -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def example(path: str) -> bytes:
    return (EXAMPLES / path).read_bytes()


def local(name: str, binary: bytes, **urls: Any) -> dict[str, Any]:
    return {"modules": [{"name": name, "urls": {"binary": data_url(binary), **urls}}]}


FIBONACCI = local("fibonacci", example("fibonacci/fibonacci.wasm"))


def own_td(app: App) -> dict[str, Any]:
    return app.servient.td(app.servient.exposed("servient"))


async def deploy(app: App, manifest: dict[str, Any]) -> httpx.Response:
    async with httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30) as http:
        return await http.post("/deploy", json=manifest)


@pytest.mark.parametrize("wire", CONSUMERS)
async def test_a_module_alone_becomes_a_thing(wire: str, app: App) -> None:
    consumer = CONSUMERS[wire](own_td(app))
    try:
        deployed = await consumer.invoke("deploy", FIBONACCI)
        assert deployed == {"deploymentId": "fibonacci", "things": ["fibonacci:fibonacci"]}
        with pytest.raises(Refused, match="not base64"):
            await consumer.invoke("deploy", local("x", b"") | {"modules": [
                {"name": "x", "urls": {"binary": "data:;base64,AGFzbQ"}}
            ]})  # fmt: skip
    finally:
        await consumer.close()
    thing = app.servient.exposed("fibonacci:fibonacci")
    assert await thing.invoke_action("fibo", {"param0": 7}) == 21


async def test_its_description_says_more(app: App) -> None:
    described = data_url(example("fibonacci/description.json"), "application/json")
    manifest = local("fibonacci", example("fibonacci/fibonacci.wasm"), description=described)
    assert (await deploy(app, manifest)).status_code == 200
    thing = app.servient.exposed("fibonacci:fibonacci")
    assert await thing.invoke_action("fibo", {"iterations": 7}) == 21


async def test_a_component_says_everything_itself(app: App) -> None:
    assert (await deploy(app, local("greeter", example("greeter/greeter.wasm")))).is_success
    thing = app.servient.td(app.servient.exposed("greeter:greeter"))
    assert any("input" in action for action in thing["actions"].values())


async def test_a_description_that_was_brought_is_used_or_refused(app: App) -> None:
    for description in (b"", b"{}", b"[1", b'{"paths": {"/x": {}}}'):
        manifest = local("x", example("counter/counter.wasm"), description=data_url(description))
        answer = await deploy(app, manifest)
        assert answer.status_code == 400
        assert "description of module 'x' cannot be used" in answer.json()["error"]
    wrong = data_url(example("fibonacci/description.json"))
    answer = await deploy(app, local("x", example("counter/counter.wasm"), description=wrong))
    assert "exports no function 'fibo'" in answer.json()["error"]


async def test_data_files_come_along(app: App) -> None:
    manifest = json.loads(example("digits/manifest.json"))
    (module,) = manifest["modules"]
    urls = module["urls"]
    urls["binary"] = data_url(example("digits/digits.wasm"))
    urls["description"] = data_url(example("digits/description.json"))
    urls["other"] = dict.fromkeys(urls["other"], data_url(example("digits/model.pb")))
    answer = await deploy(app, manifest)
    assert answer.status_code == 200, answer.text


async def test_nothing_of_it_is_repeated_or_kept_twice(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "servient")
    binary = example("fibonacci/fibonacci.wasm")
    piece = base64.b64encode(binary).decode()[200:260]
    broken = local("broken", binary[: len(binary) // 2])
    async with App(settings()) as app:
        async with httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30) as http:
            answers = [
                await http.post("/deploy", json=FIBONACCI),
                await http.post("/things/servient/actions/deploy", json=FIBONACCI),
                await http.post("/deploy", json=broken),
                await http.post("/deploy", json={**FIBONACCI, "deploymentId": "../x"}),
                await http.get("/deploy"),
                await http.get("/things/servient/properties/deployments"),
                await http.get("/things/servient/properties/invocations"),
                await http.get("/things/servient/actions"),
                await http.get("/request-history"),
            ]
        assert [each.status_code for each in answers[:4]] == [200, 200, 400, 400]
        assert "module 'broken'" in answers[2].json()["error"]
        assert all(piece not in each.text for each in answers)
        assert all(piece not in str(each.input) for each in app.servient.invocations)
    assert piece not in caplog.text
    folder = app.config.instance_path
    with sqlite3.connect(folder / "servient.sqlite") as database:
        assert all(piece not in line for line in database.iterdump())
    kept = [each for each in (folder / "files").rglob("*") if each.is_file()]
    assert sum(each.read_bytes() == binary for each in kept) == 1


async def test_who_does_not_wait_leaves_no_copy_either(app: App) -> None:
    piece = base64.b64encode(example("fibonacci/fibonacci.wasm")).decode()[200:260]
    path = "/things/servient/actions/deploy"
    async with httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30) as http:
        begun = await http.post(path, json=FIBONACCI, headers={"Prefer": "respond-async"})
        assert begun.status_code == 201
        status = begun.json()
        while status["status"] in ("pending", "running"):
            for file in filter(Path.is_file, app.config.instance_path.iterdir()):
                assert piece.encode() not in file.read_bytes()
            status = (await http.get(begun.headers["location"])).json()
    assert status["status"] == "completed"


async def test_it_is_there_again_after_a_restart(settings: Settings) -> None:
    async with App(settings()) as app:
        assert (await deploy(app, FIBONACCI)).is_success
    async with App(settings()) as app:
        thing = app.servient.exposed("fibonacci:fibonacci")
        assert await thing.invoke_action("fibo", {"param0": 7}) == 21


async def test_large_ones_go_over_http(app: App) -> None:
    """A custom section (id 0) may hold anything: here three times 5 MiB, each with its length."""
    section = b"\0" + b"\x80\x80\xc0\x02" + b"\x04data" + bytes(5 * 2**20 - 5)
    large = local("large", example("counter/counter.wasm") + 3 * section)
    assert (await deploy(app, large)).status_code == 200
    consumer = HttpConsumer(own_td(app))
    try:
        assert (await consumer.invoke("deploy", large))["deploymentId"] == "large"
    finally:
        await consumer.close()


async def test_what_is_brought_needs_no_origin(settings: Settings) -> None:
    async with App(settings(module_origins=("https://modules.example",))) as app:
        assert (await deploy(app, FIBONACCI)).is_success


async def test_what_is_brought_has_to_be_signed_where_modules_have(settings: Settings) -> None:
    keys, others = minisign.KeyPair.generate(), minisign.KeyPair.generate()
    binary = example("counter/counter.wasm")

    def signed(by: minisign.KeyPair) -> dict[str, Any]:
        return local("c", binary, signature=data_url(bytes(by.secret_key.sign(binary)), ""))

    config = settings(module_public_keys=keys.public_key.to_base64().decode())
    async with App(config) as app:
        answer = await deploy(app, local("c", binary))
        assert "no signature with it" in answer.json()["error"]
        answer = await deploy(app, signed(others))
        assert "module 'c' is not signed by a key" in answer.json()["error"]
        assert (await deploy(app, signed(keys))).is_success
    async with App(config) as app:
        assert [each.id for each in app.deployer] == ["c"]


async def test_what_is_brought_has_to_have_its_digest(settings: Settings) -> None:
    async with App(settings(module_digests=("0" * 64,))) as app:
        answer = await deploy(app, FIBONACCI)
        assert "none of the modules that may run" in answer.json()["error"]
    manifest = json.loads(json.dumps(FIBONACCI))
    manifest["modules"][0]["sha256"] = "0" * 64
    async with App(settings()) as app:
        assert "has the SHA-256" in (await deploy(app, manifest)).json()["error"]


async def test_a_name_alone_brings_nothing(app: App) -> None:
    manifest = {"modules": [{"name": "x", "urls": {"binary": f"ni:///sha-256;{'A' * 43}"}}]}
    answer = await deploy(app, manifest)
    assert answer.status_code == 400
    assert "is not in the manifest" in answer.json()["error"]


async def test_it_counts_as_what_is_fetched_does() -> None:
    name = f"ni:///sha-256;{'A' * 43}"
    for limits in (FetchLimits(file_bytes=9), FetchLimits(deployment_bytes=9)):
        async with Fetcher(Reach(is_open=False), limits) as fetcher:
            with pytest.raises(FetchFailed, match="9 bytes"):
                await fetcher.fetch_all(frozenset({name}), frozenset(), {name: bytes(10)})

"""The state of deployed modules: kept, lost with a word about it, or declared not to be."""

import asyncio
from typing import Any

import httpx
import pytest
import wasmtime

from servient.app import App
from servient.wot.door import Door, Interaction
from servient.wot.operations import Operation
from tests.files import FileServer


@pytest.fixture
async def http(app: App):  # type: ignore[no-untyped-def]  # an async generator of httpx's client
    async with httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30) as client:
        yield client


async def test_a_lost_state_is_told(app: App, files: FileServer, http: httpx.AsyncClient) -> None:
    await app.deployer.deploy(files.manifest("endless/manifest.json", deploymentId="e"))
    thing = "/things/e:endless"
    assert (await http.get(f"{thing}/properties/generation")).json() == 0
    door = Door(app.servient)
    event = door.subscribe(Interaction(Operation.SUBSCRIBE_EVENT, "e:endless", "replaced"))
    for generation in (1, 2):
        failed = (await http.post(f"{thing}/actions/trap")).json()
        told = await asyncio.wait_for(anext(event), 10)
        assert told.value == {"generation": generation, "reason": failed["detail"]}
        assert (await http.get(f"{thing}/properties/generation")).json() == generation
    assert (await http.post(f"{thing}/actions/spin", json={"millions": 0})).is_success
    refused = await http.post(f"{thing}/actions/spin", json={"millions": "many"})
    assert refused.status_code == 400
    assert (await http.get(f"{thing}/properties/generation")).json() == 2


async def test_a_module_may_be_declared_stateless(
    app: App, files: FileServer, http: httpx.AsyncClient
) -> None:
    manifest: dict[str, Any] = files.manifest("counter/manifest.json", deploymentId="c")
    manifest["modules"][0]["stateless"] = True
    await app.deployer.deploy(manifest)
    answers = await asyncio.gather(
        *(http.post("/things/c:counter/actions/increment") for _ in range(8))
    )
    assert [answer.json() for answer in answers] == [1] * 8

    manifest = files.manifest("grayscale/manifest.json", deploymentId="g")
    manifest["modules"][0]["stateless"] = True
    await app.deployer.deploy(manifest)

    async def convert(shade: int) -> bytes:
        image = b"P6\n1 1\n255\n" + bytes((shade, shade, shade))
        answer = await http.post(
            "/things/g:grayscale/actions/grayscale", files={"image.ppm": ("blob", image)}
        )
        assert answer.status_code == 200, answer.text
        return answer.content

    pictures = await asyncio.gather(*map(convert, range(0, 250, 25)))
    assert [picture[-1] for picture in pictures] == list(range(0, 250, 25))


LOUD = """
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1) (data (i32.const 0) "hello\\n")
  (func $print (param $descriptor i32)
    (i32.store (i32.const 20) (i32.const 6))
    (drop (call $write (local.get $descriptor) (i32.const 16) (i32.const 1) (i32.const 32))))
  (func (export "greet") (result i32) (call $print (i32.const 1)) (i32.const 1))
  (func (export "complain") (call $print (i32.const 2)) unreachable))
"""


async def test_what_a_module_prints_is_in_the_record(
    app: App, files: FileServer, http: httpx.AsyncClient
) -> None:
    files.files["/loud.wasm"] = bytes(wasmtime.wat2wasm(LOUD))
    module = {"name": "loud", "urls": {"binary": f"{files.origin}/loud.wasm"}}
    await app.deployer.deploy({"deploymentId": "l", "modules": [module]})
    greeted = (await http.get("/l/modules/loud/greet")).json()
    complained = (await http.get("/l/modules/loud/complain")).json()
    assert complained["status"] == "error"
    entry = (await http.get(greeted["resultUrl"])).json()
    assert (entry["result"], entry["stdout"], "stderr" in entry) == (["1", None], "hello\n", False)
    entry = (await http.get(complained["resultUrl"])).json()
    assert (entry["success"], entry["stderr"], "stdout" in entry) == (False, "hello\n", False)
    records = (await http.get("/things/servient/properties/invocations")).json()
    assert [(each["stdout"]) for each in records if "stdout" in each] == ["hello\n"]

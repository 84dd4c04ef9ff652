"""The machine-learning example as a user has it: deployed, sent pictures, and abused."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import wasmtime

from servient.app import App
from tests.files import EXAMPLES, FileServer

DIGITS = EXAMPLES / "digits"
RIGHT_LEAST = 0.95
FUNCTION = "/1/modules/digits/infer_from_ptrs"
ACTION = "/things/1:digits/actions/infer_from_ptrs"


@pytest.fixture
async def http(app: App) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30) as client:
        yield client


@pytest.fixture
async def deployed(http: httpx.AsyncClient, files: FileServer) -> httpx.AsyncClient:
    answer = await http.post("/deploy", json=files.manifest("digits/manifest-readme.json"))
    assert (answer.status_code, answer.json()["deploymentId"]) == (200, "1")
    return http


def picture() -> bytes:
    return (DIGITS / "digit.png").read_bytes()


def part(image: bytes) -> dict[str, Any]:
    return {"data": ("digit.png", image, "image/png")}


async def test_the_walk_through(deployed: httpx.AsyncClient) -> None:
    answer = await deployed.post(FUNCTION, files=part(picture()))
    assert answer.json()["result"] == ["2", None]
    entry = (await deployed.get(answer.json()["resultUrl"])).json()
    assert (entry["success"], entry["result"]) == (True, ["2", None])
    answer = await deployed.post(ACTION, files=part(picture()))
    assert (answer.status_code, answer.json()) == (200, 2)
    result = await deployed.get("/things/1:digits/properties/infer_from_ptrs_result")
    assert result.json() == 2


async def test_held_out_pictures_are_told_right(deployed: httpx.AsyncClient) -> None:
    entries = json.loads((DIGITS / "heldout.json").read_text())
    right = 0
    for entry in entries:
        answer = await deployed.post(ACTION, files=part(base64.b64decode(entry["png"])))
        right += answer.json() == entry["label"]
    assert len(entries) >= 100
    assert right >= RIGHT_LEAST * len(entries)


async def test_a_picture_that_is_none_gives_a_negative_number(deployed: httpx.AsyncClient) -> None:
    for image in (b"", b"nonsense", picture()[:60]):
        answer = await deployed.post(ACTION, files=part(image))
        assert answer.json() < 0
    answer = await deployed.post(ACTION, files=part(picture()))
    assert answer.json() == 2


@pytest.mark.parametrize(
    "sent",
    [{}, {"files": {"image": ("blob", b"png", "text/plain")}}, {"json": {"data": 7}}],
    ids=["nothing", "another field", "no file"],
)
async def test_a_request_without_a_picture_is_refused(
    sent: dict[str, Any], deployed: httpx.AsyncClient
) -> None:
    answer = await deployed.post(ACTION, **sent)
    assert answer.status_code == 400
    assert "data" in answer.text


async def test_the_files_of_the_newer_convention(
    http: httpx.AsyncClient, files: FileServer
) -> None:
    answer = await http.post("/deploy", json=files.manifest("digits/manifest.json"))
    assert answer.status_code == 200, answer.text
    thing = "/things/digits-1:digits/actions"
    answer = await http.post(f"{thing}/infer_from_ptrs", files=part(picture()))
    assert answer.json() == 2
    image = {"image.jpeg": ("blob", picture(), "application/octet-stream")}
    answer = await http.post(f"{thing}/infer_predefined_paths", files=image)
    assert answer.json() == 2


async def test_a_stateless_module_has_its_model_too(
    http: httpx.AsyncClient, files: FileServer
) -> None:
    manifest = files.manifest("digits/manifest-readme.json")
    manifest["modules"][0]["stateless"] = True
    assert (await http.post("/deploy", json=manifest)).status_code == 200
    for _ in range(3):
        assert (await http.post(ACTION, files=part(picture()))).json() == 2


# A function that adds up the first bytes of what it is called with.
FIRST_BYTES = """(module (memory (export "memory") 2)
    (global $at (mut i32) (i32.const 1024))
    (func {alloc} (param $size i32) (result i32) {body})
    (func (export "infer_from_ptrs") (param i32 i32 i32 i32) (result i32)
      (i32.add (i32.load8_u (local.get 0)) (i32.load8_u (local.get 2)))))"""
BUMP = """(global.get $at)
    (global.set $at (i32.add (global.get $at) (i32.add (local.get $size) (i32.const 1))))
    (if (i32.gt_u (global.get $at) (i32.const 131072))
      (then (global.set $at (i32.sub (global.get $at) (local.get $size)))
            (return (i32.const 0))))"""


def module_of(body: str, alloc: str = '(export "alloc")') -> bytes:
    return bytes(wasmtime.wat2wasm(FIRST_BYTES.format(alloc=alloc, body=body)))


def manifest_of(files: FileServer, module: bytes, **data_files: bytes) -> dict[str, Any]:
    """The example's manifest with another module and other data files."""
    files.files["/module.wasm"] = module
    urls = []
    for name, body in data_files.items():
        path = "/" + name.replace("_", ".")
        files.files[path] = body
        urls.append(files.origin + path)
    manifest = files.manifest("digits/manifest-readme.json")
    manifest["modules"][0]["urls"].update(binary=f"{files.origin}/module.wasm", other=urls)
    return manifest


async def test_the_model_is_the_file_of_that_name_or_the_first(
    http: httpx.AsyncClient, files: FileServer
) -> None:
    for data_files, model in (
        ({"labels_txt": b"\x10", "model_pb": b"\x20"}, 0x20),
        ({"ml_pb": b"\x30", "labels_txt": b"\x10"}, 0x30),
    ):
        manifest = manifest_of(files, module_of(BUMP), **data_files)
        assert (await http.post("/deploy", json=manifest)).status_code == 200
        answer = await http.post(ACTION, files=part(b"\1"))
        assert answer.json() == model + 1


async def test_what_cannot_be_called_with_a_model_is_refused(
    app: App, http: httpx.AsyncClient, files: FileServer
) -> None:
    for module, data_files, named in (
        (module_of(BUMP), {}, "no data file"),
        (module_of(BUMP, alloc=""), {"model_pb": b"m"}, "alloc(i32)"),
    ):
        answer = await http.post("/deploy", json=manifest_of(files, module, **data_files))
        assert answer.status_code in range(400, 500), named
        assert named in answer.json()["error"]
    assert not list((app.config.instance_path / "modules").glob("*"))


FAULTS = {
    "outside the memory": ("(i32.const 131072)", 500, "outside its memory of 131072 bytes"),
    "negative": ("(i32.const -1)", 500, "outside its memory"),
    "a trap": ("unreachable", 500, "`alloc` trapped"),
    "nothing": ("(i32.const 0)", 413, "no memory for"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_faulty_allocator_is_a_problem_of_the_invocation(
    fault: str, http: httpx.AsyncClient, files: FileServer
) -> None:
    body, status, detail = FAULTS[fault]
    manifest = manifest_of(files, module_of(body), model_pb=b"m" * 10)
    assert (await http.post("/deploy", json=manifest)).status_code == 200
    for _ in range(2):
        answer = await http.post(ACTION, files=part(b"image"))
        assert (answer.status_code, answer.json()["status"]) == (status, status)
        assert detail in answer.json()["detail"]


async def test_too_large_a_picture_is_refused_and_the_next_one_is_not(
    http: httpx.AsyncClient, files: FileServer
) -> None:
    manifest = manifest_of(files, module_of(BUMP), model_pb=b"\x40" * 1000)
    await http.post("/deploy", json=manifest)
    for _ in range(3):
        answer = await http.post(ACTION, files=part(bytes(200_000)))
        assert (answer.status_code, answer.json()["title"]) == (413, "Too large")
        answer = await http.post(ACTION, files=part(b"\2" * 5000))
        assert answer.json() == 0x42


def test_the_model_is_of_modest_size() -> None:
    assert Path(DIGITS / "model.pb").stat().st_size < 200_000

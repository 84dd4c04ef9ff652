"""Components that come without any description become Things of their own types."""

import asyncio
import base64
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import wasmtime

from converters.component_types import ComponentType, EnumType, OptionType, Primitive
from servient.app import App
from servient.wasm.engine import Engine
from tests.component_texts import LIFT, MODULE, PADDING, echo_component
from tests.files import FileServer
from tests.oracle.playground import check_with_playground
from tests.tools import needs
from tests.wasm.components.texts import MISCHIEF
from thing_descriptions.validator import lint_td, validate_td

GREETER = Path(__file__).parents[2] / "examples" / "greeter"
THING = "/things/greeter-1:greeter"
BUILD_SECONDS = 100


@pytest.fixture
async def http(app: App):  # type: ignore[no-untyped-def]  # an async generator of httpx's client
    async with httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30) as client:
        yield client


def manifest_of(files: FileServer, text: str, **further: Any) -> dict[str, Any]:
    files.files["/part.wasm"] = bytes(wasmtime.wat2wasm(text))
    urls = {"binary": f"{files.origin}/part.wasm"}
    return {"deploymentId": "d", "modules": [{"name": "part", "urls": urls}], **further}


async def test_the_greeter_needs_no_description(files: FileServer, http: httpx.AsyncClient) -> None:
    answer = await http.post("/deploy", json=files.manifest("greeter/manifest.json"))
    assert answer.status_code == 200, answer.text
    td = (await http.get(THING)).json()
    assert set(td["actions"]) == {"greetings-greet", "greetings-visitors", "greetings-forget"}
    greet = td["actions"]["greetings-greet"]
    assert greet["input"]["required"] == ["person"]
    assert greet["input"]["properties"]["person"]["required"] == ["name", "languages"]
    assert greet["output"]["properties"]["language"]["enum"] == ["english", "finnish", "swedish"]
    assert validate_td(td) == []
    assert lint_td(td) == []
    check_with_playground([td])


async def test_the_greeter_greets(files: FileServer, http: httpx.AsyncClient) -> None:
    await http.post("/deploy", json=files.manifest("greeter/manifest.json"))

    async def greet(**members: Any) -> httpx.Response:
        return await http.post(f"{THING}/actions/greetings-greet", json=members)

    ada = {"name": "Ada", "languages": ["finnish", "english"]}
    answer = await greet(person=ada, occasion={"birthday": 36})
    greeting = {"text": "Hyvää 36-vuotispäivää, Ada!", "language": "finnish", "times": 1}
    assert (answer.status_code, answer.json()) == (200, greeting)
    answer = await greet(person=ada | {"title": "Countess"}, occasion="morning")
    assert answer.json()["text"] == "Huomenta, Countess Ada!"
    assert (await http.get(f"{THING}/properties/greetings-greet_result")).json()["times"] == 2
    visitors = await http.post(f"{THING}/actions/greetings-visitors")
    assert visitors.json() == [["Ada", 2]]

    refused = await greet(person={"name": "", "languages": []})
    assert (refused.status_code, refused.json()["title"]) == (500, "Action failed")
    assert "nameless" in refused.json()["detail"]
    for person in (None, {"name": "Ada"}, ada | {"languages": ["latin"]}, ada | {"name": 1}):
        assert (await greet(person=person)).status_code == 400
    assert (await greet(person=ada, occasion={"birthday": 256})).status_code == 400
    assert (await greet(occasion="morning")).json()["errors"]
    assert (await http.get(f"{THING}/properties/generation")).json() == 0


async def test_every_kind_of_value_passes_the_wire(
    files: FileServer, http: httpx.AsyncClient
) -> None:
    kinds: dict[str, tuple[ComponentType, Any]] = {
        "large": (Primitive.U64, 2**64 - 1),
        "character": (Primitive.CHAR, "é"),
        "color": (EnumType(("red", "dark-blue")), "dark-blue"),
        "maybe": (OptionType(OptionType(Primitive.U8)), None),
    }
    text = echo_component({name: kind for name, (kind, _) in kinds.items()})
    assert (await http.post("/deploy", json=manifest_of(files, text))).status_code == 200
    for name, (_, value) in kinds.items():
        url, body = f"/things/d:part/actions/{name}", {"value": value, "padding": PADDING}
        answer = await http.post(url, json=body)
        assert answer.status_code == 200, answer.text
        back = {"some": None} if name == "maybe" else value
        assert answer.json() == [back, PADDING]


async def test_bytes_are_bodies(files: FileServer, http: httpx.AsyncClient) -> None:
    text = f"""(component {
        MODULE.replace(
            '(func (export "echo")',
            '''(func (export "same") (param i32 i32) (result i32)
             (i32.store (i32.const 8) (local.get 0)) (i32.store (i32.const 12) (local.get 1))
             (i32.const 8))
           (func (export "echo")''',
        )
    }
      (func (export "same") (param "image" (list u8)) (result (list u8)) {LIFT.format("same")}))"""
    await http.post("/deploy", json=manifest_of(files, text))
    url, image = "/things/d:part/actions/same", bytes(range(256)) * 40
    plain = await http.post(
        url, content=image, headers={"Content-Type": "application/octet-stream"}
    )
    assert plain.content == image
    encoded = await http.post(url, json={"image": base64.b64encode(image).decode()})
    assert encoded.content == image
    assert (await http.get("/things/d:part/properties/same_result")).content == image
    assert (await http.post(url, json={"image": "?"})).status_code == 400


async def test_a_manifest_may_choose_among_the_functions(
    files: FileServer, http: httpx.AsyncClient
) -> None:
    manifest = manifest_of(files, MISCHIEF, mounts={"part": {"calls-count": {}, "trap": {}}})
    assert (await http.post("/deploy", json=manifest)).status_code == 200
    assert set((await http.get("/things/d:part")).json()["actions"]) == {"calls-count", "trap"}
    assert (await http.post("/things/d:part/actions/calls-count")).json() == 1
    assert (await http.post("/things/d:part/actions/trap")).json()["title"] == "Module trapped"
    assert (await http.get("/things/d:part/properties/generation")).json() == 1
    assert (await http.post("/things/d:part/actions/calls-count")).json() == 1

    manifest["mounts"]["part"]["steal"] = {}
    refused = await http.post("/deploy", json=manifest)
    assert refused.status_code == 400
    assert "exports no function 'steal'" in refused.text


async def test_what_is_not_offered_is_refused_by_name(
    files: FileServer, http: httpx.AsyncClient
) -> None:
    text = '(component (import "acme:door/lock@1.0.0" (instance (export "open" (func)))))'
    refused = await http.post("/deploy", json=manifest_of(files, text))
    assert refused.status_code == 400
    assert "acme:door/lock@1.0.0" in refused.text


async def test_the_greeter_is_what_its_source_gives(tmp_path: Path) -> None:
    needs("node")
    needs("npm")  # build.sh installs the tool with it
    target = tmp_path / "greeter.wasm"
    built = await asyncio.to_thread(
        subprocess.run,
        [GREETER / "build.sh", target],
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    async with Engine() as engine:
        fresh, checked_in = [
            await engine.compile_component(path.read_bytes())
            for path in (target, GREETER / "greeter.wasm")
        ]
    assert fresh.signatures == checked_in.signatures
    assert fresh.imports == checked_in.imports == ()

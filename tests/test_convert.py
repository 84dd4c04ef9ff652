"""`wasm-servient convert`, run as a program."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.converters.openapi.documents import api, operation
from tests.files import EXAMPLES
from tests.manifests import load_manifest
from tests.test_cli import finish, start
from thing_descriptions.validator import validate_td

YAML = """
openapi: 3.0.3
info: {title: Pets, version: 2020-01-01}
servers: [url: https://pets.example/]
paths:
  /pets:
    get:
      responses:
        200:
          description: All
          content: {application/json: {schema: {$ref: "other.yaml#/Pet"}}}
"""


async def converted(*arguments: str) -> Any:
    code, out, err = await finish(await start("convert", *arguments))
    assert code == 0, err
    return json.loads(out)


async def test_openapi_in_yaml_with_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_text(YAML)
    (tmp_path / "other.yaml").write_text("Pet: {type: object, minProperties: 1}")
    result = await converted("openapi", str(tmp_path / "api.yaml"), "--json")
    assert validate_td(result["td"]) == []
    assert result["td"]["version"] == {"instance": "2020-01-01"}
    assert result["td"]["properties"]["get_pets"]["type"] == "object"
    assert {loss["pointer"] for loss in result["losses"]} == {"other.yaml#/Pet/minProperties"}


async def test_losses_are_told_beside_the_result(tmp_path: Path) -> None:
    path, out = tmp_path / "api.json", tmp_path / "td.json"
    path.write_text(json.dumps(api({"/x": {"get": operation(**{"x-mine": 1})}})))
    code, said, err = await finish(await start("convert", "openapi", str(path), "--out", str(out)))
    assert (code, said) == (0, "")
    assert "/paths/~1x/get/x-mine: x-mine: " in err
    assert validate_td(json.loads(out.read_text())) == []


async def test_files_elsewhere_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"a": {"type": "string", "title": "secret"}}')
    folder = tmp_path / "apis"
    folder.mkdir()
    schema = {"$ref": "../secret.json#/a"}
    responses = {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}
    (folder / "api.json").write_text(json.dumps(api({"/x": {"post": {"responses": responses}}})))
    result = await converted("openapi", str(folder / "api.json"), "--json")
    assert "secret" not in json.dumps(result["td"])
    assert "only files beside the document" in json.dumps(result["losses"])


async def test_modules_components_and_wit() -> None:
    module = await converted("wasm", str(EXAMPLES / "fibonacci" / "fibonacci.wasm"))
    assert "fibo" in module["actions"]
    component = await converted("wasm", str(EXAMPLES / "greeter" / "greeter.wasm"))
    text = await converted("wit", str(EXAMPLES / "greeter" / "greeter.wit"))
    for td in (module, component, text):
        assert validate_td(td, partial=True) == []
    greet = component["actions"]["greetings-greet"]
    assert text["actions"]["greetings-greet"] == greet


async def test_a_manifest(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(load_manifest("deploy-fibo")))
    td = await converted("manifest", str(path))
    assert validate_td(td, partial=True) == []


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("openapi", '{"openapi": "1.0"}', "/openapi"),
        ("openapi", '{"openapi": ', "not JSON"),
        ("openapi", "a: [", "neither JSON nor YAML"),
        ("openapi", "&a [*a]", "cannot be converted"),
        ("manifest", "{}", "cannot be converted"),
        ("wasm", "no module", "not a WebAssembly module"),
        ("wit", "interface", "line 1"),
    ],
)
async def test_a_fault_is_one_sentence(tmp_path: Path, kind: str, content: str, said: str) -> None:
    path = tmp_path / "file"
    path.write_text(content)
    code, out, err = await finish(await start("convert", kind, str(path)))
    assert (code, out) == (1, "")
    assert said in err
    assert len(err.splitlines()) == 1


async def test_a_missing_file_is_told(tmp_path: Path) -> None:
    code, _, err = await finish(await start("convert", "wit", str(tmp_path / "none.wit")))
    assert code == 1
    assert "No such file" in err

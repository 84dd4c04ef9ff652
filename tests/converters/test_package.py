"""Files that come in a manifest: taken out of it once, or refused in one short sentence."""

import base64
import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters import package
from converters.errors import ConversionError
from converters.file_urls import is_name, name_of
from converters.manifest import parse_manifest
from converters.package import open_package
from tests.converters.test_hostile import json_values
from tests.manifests import NAMES, load_manifest

WASM = b"\x00asm\x01\x00\x00\x00"


def data_url(content: bytes, media_type: str = "application/wasm") -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def manifest(**urls: Any) -> dict[str, Any]:
    return {"modules": [{"name": "x", "urls": {"binary": data_url(WASM), **urls}}]}


def test_every_file_is_taken_out_and_named_by_what_it_is() -> None:
    document = manifest(
        description=data_url(b"{}", "application/json;charset=utf-8"),
        signature=data_url(b"signed", ""),
        other={"data": data_url(b"data"), "same": data_url(b"data"), "far": "http://a.example/f"},
    )
    before = copy.deepcopy(document)
    opened = open_package(document)
    assert document == before
    assert sorted(opened.files.values()) == sorted([WASM, b"{}", b"signed", b"data"])
    assert "base64" not in json.dumps(opened.manifest)
    deployment = parse_manifest(opened.manifest)
    (module,) = deployment.modules
    assert deployment.id == module.name == "x"
    assert opened.files[module.binary_url] == WASM
    assert module.description_url == name_of(b"{}")
    assert module.signature_url == name_of(b"signed")
    assert module.files["data"] == module.files["same"] == name_of(b"data")
    assert module.files["far"] == "http://a.example/f"
    assert module.source == "module 'x'"


def test_steps_of_a_sequence_bring_files_too() -> None:
    module = {"id": "1", "name": "x", "urls": {"binary": data_url(WASM)}}
    step = {"deviceId": "d", "deploymentId": "1", "module": module, "function": "f"}
    document = {"myId": "d", "fullManifest": {"sequence": [step, {**step, "module": "x"}]}}
    opened = open_package(document)
    (found,) = parse_manifest(opened.manifest).modules
    assert opened.files == {found.binary_url: WASM}


@pytest.mark.parametrize("name", NAMES)
def test_a_manifest_without_files_stays_as_it_is(name: str) -> None:
    document = load_manifest(name)
    assert open_package(document) == package.Package(document, {})


@pytest.mark.parametrize(
    "url",
    [
        "data:", "data:,", "data:application/wasm,AAAA", "data:application/wasm;base64",
        "data:;base64,AAA", "data:;base64,AA=A", "data:;base64,====", "data:;base64,AA AA",
        "data:;base64,AA\nAA", "data:;base64,AA%3D%3D", "data:;base64,AA-_", "data:;base64,äöüÄ",
        "data:;base64,AA==AA==", "data:" + "x" * 5000 + ";base64,AAAA", "DATA:;BASE64;AAAA",
    ],
)  # fmt: skip
def test_what_holds_no_file_is_refused(url: str) -> None:
    for urls in ({"binary": url}, {"description": url}, {"other": {"f": url}}, {"other": [url]}):
        with pytest.raises(ConversionError) as refused:
            open_package(manifest(**urls))
        assert refused.value.pointer.startswith("/modules/0/urls/")
        assert len(refused.value.message) < 200


def test_a_file_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "INLINE_LIMIT_BYTES", 1000)
    assert open_package(manifest(binary=data_url(bytes(1000)))).files
    with pytest.raises(ConversionError, match="larger than 1000 bytes"):
        open_package(manifest(binary=data_url(bytes(1001))))


def test_a_file_that_came_along_needs_a_name_and_is_nowhere_else() -> None:
    opened = open_package(manifest(other=[data_url(b"x")]))
    with pytest.raises(ConversionError, match="has no name"):
        parse_manifest(opened.manifest)
    for url in (data_url(b"x"), name_of(b"x")):
        to = {"from": None, "to": {"url": url}}
        instructions = {"modules": {"x": {"f": to}}}
        document = {**manifest(), "deploymentId": "d", "instructions": instructions}
        with pytest.raises(ConversionError, match="expected an http or https URL") as refused:
            parse_manifest(open_package(document).manifest)
        assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    "url", ["ni:///sha-256;", "ni:///sha-256;" + "A" * 44, "ni://h/sha-256;" + "A" * 43, "ni:x"]
)
def test_only_a_whole_digest_is_a_name(url: str) -> None:
    assert not is_name(url)
    with pytest.raises(ConversionError):
        parse_manifest(manifest(binary=url))


def test_one_module_lends_its_name_and_several_do_not() -> None:
    document = manifest()
    document["modules"].append({**document["modules"][0], "name": "y"})
    with pytest.raises(ConversionError, match="expected a name") as refused:
        parse_manifest(open_package(document).manifest)
    assert refused.value.pointer == "/deploymentId"


@given(json_values, json_values, json_values)
def test_anything_may_stand_around_it(one: Any, two: Any, three: Any) -> None:
    for document in (
        one,
        {"modules": one, "fullManifest": two},
        {"modules": [one, {"urls": two}], "fullManifest": {"sequence": three}},
        {"fullManifest": {"sequence": [{"module": {"urls": one}}, {"module": two}]}},
        manifest(binary=one, other=two, description=three),
    ):
        assert open_package(document).manifest is not None or document is None


@given(st.binary(max_size=100))
def test_any_bytes_arrive(content: bytes) -> None:
    assert list(open_package(manifest(binary=data_url(content))).files.values()) == [content]

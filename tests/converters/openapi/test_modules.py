"""The OpenAPI description of a module becomes endpoints."""

import copy
from typing import Any

import pytest

from converters.deployment import Mount, Stage
from converters.errors import ConversionError
from converters.openapi.modules import parse_description

BINARY = {"type": "string", "format": "binary"}

# As an orchestrator writes it: every function of the module, files of all stages but the output.
DESCRIPTION: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "bytes", "version": "0.0.1"},
    "servers": [{"url": "http://{serverIp}:{port}", "variables": {"port": {"default": "5001"}}}],
    "paths": {
        "/{deployment}/modules/bytes/addf": {
            "summary": "Auto-generated description",
            "parameters": [
                {"name": "deployment", "in": "path", "required": True},
                {"name": "a", "in": "query", "required": True, "schema": {"type": "float"}},
            ],
            "get": {
                "summary": "Adds two numbers",
                "parameters": [{"name": "b", "in": "query", "schema": {"$ref": "#/x/real"}}],
                "responses": {
                    "404": {"description": "unknown"},
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/x/real"}}}},
                },
            },
        },
        "/{deployment}/modules/bytes/invert": {
            "post": {
                "requestBody": {
                    "content": {
                        "multipart/form-data": {
                            "schema": {"type": "object", "properties": {"image.jpeg": BINARY}},
                            "encoding": {"image.jpeg": {"contentType": "image/jpeg"}},
                        }
                    }
                },
                "responses": {"200": {"content": {"image/jpeg": {"schema": BINARY}}}},
            }
        },
        "/{deployment}/modules/bytes/invert/{filename}": {"get": {}},
        "/health": {"get": {}},
    },
    "x": {"real": {"type": "number"}},
}


def described(**members: Any) -> dict[str, Any]:
    return {**copy.deepcopy(DESCRIPTION), **members}


def test_each_function_has_an_endpoint() -> None:
    endpoints = parse_description(DESCRIPTION, "bytes")
    assert list(endpoints) == ["addf", "invert"]
    addf, invert = endpoints.values()
    assert [(p.name, p.schema, p.required) for p in addf.parameters] == [
        ("a", {"type": "number"}, True),
        ("b", {"type": "number"}, True),
    ]
    assert (addf.method, addf.response_media_type) == ("get", "application/json")
    assert addf.response_schema == {"type": "number"}
    assert (addf.url, addf.path) == ("", "/{deployment}/modules/bytes/addf")
    assert addf.description == "Adds two numbers"
    assert invert.files == (Mount("image.jpeg", "image/jpeg", Stage.EXECUTION),)
    assert (invert.method, invert.response_media_type) == ("post", "image/jpeg")


@pytest.mark.parametrize("segment", ["bytes", "{module}", "6b0245d64195de0afd6afcb6"])
def test_the_module_may_be_a_template_or_an_id(segment: str) -> None:
    operation: dict[str, Any] = {"get": {"responses": {}}}
    paths = {f"/{{deployment}}/modules/{segment}/f": operation}
    assert list(parse_description(described(paths=paths), "bytes")) == ["f"]


def test_the_functions_of_the_module_itself_are_preferred() -> None:
    operation: dict[str, Any] = {"get": {"responses": {}}}
    paths = {"/{d}/modules/other/f": operation, "/{d}/modules/bytes/g": operation}
    assert list(parse_description(described(paths=paths), "bytes")) == ["g"]


def test_a_number_that_is_called_octets_is_json() -> None:
    content = {"application/octet-stream": {"schema": {"type": "integer", "format": "int64"}}}
    paths = {"/{d}/modules/{m}/f": {"get": {"responses": {"200": {"content": content}}}}}
    endpoint = parse_description(described(paths=paths), "bytes")["f"]
    assert endpoint.response_media_type == "application/json"


@pytest.mark.parametrize("document", [None, [], {}, {"paths": {}}, {"paths": {"/health": {}}}])
def test_a_description_without_functions_is_unusable(document: Any) -> None:
    with pytest.raises(ConversionError):
        parse_description(document, "bytes")


@pytest.mark.parametrize("target", ["#/nothing", "other.json#/x", "http://h/x", "#/x/real/type/0"])
def test_references_that_lead_nowhere_are_refused(target: str) -> None:
    document = described()
    document["x"]["real"] = {"$ref": target}
    with pytest.raises(ConversionError, match="refers to"):
        parse_description(document, "bytes")


def test_references_in_a_circle_are_cut() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/x/real"}}}
    endpoint = parse_description(described(x={"real": node}), "bytes")["addf"]
    assert endpoint.response_schema == {
        "type": "object",
        "properties": {"next": {"type": "object"}},
    }
    itself = {"$ref": "#/x/real"}
    assert parse_description(described(x={"real": itself}), "bytes")


def test_references_that_multiply_are_refused() -> None:
    levels = {
        f"l{i}": {"properties": {f"p{j}": {"$ref": f"#/x/l{i + 1}"} for j in range(10)}}
        for i in range(9)
    }
    with pytest.raises(ConversionError, match="too large"):
        parse_description(described(x={**levels, "l9": {}, "real": {"$ref": "#/x/l0"}}), "bytes")

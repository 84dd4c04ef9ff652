"""References within and across documents, OpenAPI 2.0, and documents that are no such thing."""

from typing import Any

import pytest

from converters.errors import ConversionError
from converters.openapi.thing import to_thing_description
from tests.converters.openapi.documents import api, convert, lost

OTHERS: dict[str, Any] = {
    "schemas/pets.json": {"Pet": {"type": "object", "properties": {"age": {"$ref": "#/Age"}}},
                          "Age": {"$ref": "../common.json#/Count"}},
    "common.json": {"Count": {"type": "integer", "minimum": 0}},
    "paths.json": {"pets": {"get": {"operationId": "pets", "responses": {"200": {
        "description": "", "content": {"application/json": {
            "schema": {"$ref": "schemas/pets.json#/Pet"}}}}}}}},
}  # fmt: skip


def load(name: str) -> object:
    if name not in OTHERS:
        raise ConversionError("", "there is no such file")
    return OTHERS[name]


def test_references_lead_through_other_documents() -> None:
    document = api({"/pets": {"$ref": "paths.json#/pets"}})
    pets = convert(document, load=load).td["properties"]["pets"]
    assert pets["properties"] == {"age": {"type": "integer", "minimum": 0}}
    alone = convert(document)
    assert "/paths/~1pets" in {pointer for pointer, _ in lost(alone)}
    assert "properties" not in alone.td


@pytest.mark.parametrize(
    "reference", ["missing.json", "/etc/passwd", "#name", "#/nowhere", "http://[", "../x.json#/a"]
)
def test_a_reference_to_nothing_is_reported(reference: str) -> None:
    schema = {"$ref": reference}
    content = {"application/json": {"schema": schema}}
    responses = {"200": {"description": "", "content": content}}
    conversion = convert(api({"/x": {"post": {"responses": responses}}}), load=load)
    place = "/paths/~1x/post/responses/200/content/application~1json/schema"
    assert place in {pointer for pointer, _ in lost(conversion)}


SWAGGER: dict[str, Any] = {
    "swagger": "2.0",
    "info": {"title": "Old", "version": "1"},
    "host": "old.example",
    "basePath": "/api",
    "schemes": ["https", "http", "ws"],
    "consumes": ["application/json"],
    "produces": ["application/json", "text/csv"],
    "securityDefinitions": {
        "login": {"type": "basic"},
        "grant": {"type": "oauth2", "flow": "accessCode", "authorizationUrl": "https://a.example",
                  "tokenUrl": "https://t.example", "scopes": {}},
    },
    "security": [{"login": []}],
    "definitions": {"Pet": {"type": "object", "properties": {"name": {"type": "string"}}}},
    "parameters": {"limit": {"name": "limit", "in": "query", "type": "integer", "maximum": 9}},
    "paths": {
        "/pets": {
            "get": {
                "operationId": "pets",
                "parameters": [
                    {"$ref": "#/parameters/limit"},
                    {"name": "ids", "in": "query", "type": "array", "items": {"type": "string"},
                     "collectionFormat": "multi"},
                    {"name": "odd", "in": "query", "type": "array", "items": {"type": "string"},
                     "collectionFormat": "pipes"},
                ],
                "responses": {"200": {"description": "", "schema": {"$ref": "#/definitions/Pet"}}},
            },
            "post": {
                "operationId": "add",
                "parameters": [{"name": "pet", "in": "body", "required": True,
                                "schema": {"$ref": "#/definitions/Pet"}}],
                "responses": {"201": {"description": ""}, "400": {"description": "no"}},
                "security": [{"grant": ["write"]}],
            },
        },
        "/pets/{id}/picture": {
            "post": {
                "operationId": "show",
                "consumes": ["multipart/form-data"],
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "type": "string"},
                    {"name": "file", "in": "formData", "type": "file", "required": True},
                    {"name": "note", "in": "formData", "type": "string"},
                ],
                "responses": {"200": {"description": "", "schema": {"type": "file"}}},
                "produces": ["image/png"],
            },
        },
    },
}  # fmt: skip


def test_openapi_2() -> None:
    conversion = convert(SWAGGER)
    td = conversion.td
    assert td["base"] == "https://old.example/api/"
    pets, add, show = td["properties"]["pets"], td["actions"]["add"], td["actions"]["show"]
    assert pets["uriVariables"]["limit"] == {"type": "integer", "maximum": 9}
    assert pets["forms"][0]["href"] == "pets{?limit,ids*,odd}"
    assert {form["contentType"] for form in pets["forms"]} == {"application/json", "text/csv"}
    assert len(pets["forms"]) == 4  # two servers
    assert add["input"]["properties"] == {"name": {"type": "string"}}
    assert add["forms"][0]["security"] == ["grant"]
    assert add["forms"][0]["scopes"] == ["write"]
    assert td["securityDefinitions"]["grant"]["flow"] == "code"
    assert show["input"]["required"] == ["file"]
    assert show["input"]["properties"]["file"]["type"] == "string"
    assert show["output"] == {"type": "string", "contentMediaType": "image/png"}
    assert show["forms"][0]["contentType"] == "multipart/form-data"
    assert show["forms"][0]["response"] == {"contentType": "image/png"}
    pointers = {pointer for pointer, _ in lost(conversion)}
    assert {"/schemes", "/paths/~1pets/get/parameters/2/collectionFormat"} <= pointers


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        (None, ""), ([], ""), ({}, ""), ({"openapi": "4.0"}, "/openapi"),
        ({"swagger": "1.2"}, "/swagger"), ({"openapi": "3.0.0"}, "/info"),
        ({"openapi": "3.0.0", "info": {"title": float("nan")}}, "/info/title"),
        ({"openapi": "3.0.0", "info": {"title": "\ud800"}}, "/info/title"),
    ],
)  # fmt: skip
def test_what_is_no_openapi_document_is_refused(document: Any, pointer: str) -> None:
    with pytest.raises(ConversionError) as refusal:
        to_thing_description(document)
    assert refusal.value.pointer == pointer

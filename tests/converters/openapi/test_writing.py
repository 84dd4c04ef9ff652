"""Thing Descriptions become OpenAPI, and come back."""

from typing import Any

from openapi_spec_validator import validate

from converters.openapi.writing import to_openapi
from tests.converters.openapi.documents import api, convert, operation

LAMP: dict[str, Any] = {
    "title": "Lamp",
    "base": "https://lamp.example/api/",
    "securityDefinitions": {
        "login": {"scheme": "basic"},
        "key": {"scheme": "apikey", "in": "header", "name": "K"},
        "any": {"scheme": "combo", "oneOf": ["login", "key"]},
        "open": {"scheme": "nosec"},
    },
    "security": "any",
    "properties": {
        "level": {
            "type": "integer",
            "readOnly": False,
            "unit": "percent",
            "forms": [
                {"href": "level", "op": ["readproperty", "writeproperty"], "security": "open"},
                {"href": "level", "op": "observeproperty", "subprotocol": "sse"},
                {"href": "coap://lamp.example/level", "op": "readproperty"},
            ],
        }
    },
    "actions": {
        "fade": {
            "synchronous": False,
            "input": {"type": "object", "properties": {"to": {"type": "integer", "wasm:x": 1}}},
            "uriVariables": {"lamp": {"type": "string"}, "slow": {"type": "boolean"}},
            "forms": [{"href": "{lamp}/fade{?slow}"}],
        },
        "blink": {"forms": [{"href": "https://other.example/blink", "htv:methodName": "PUT"}]},
    },
}


def test_forms_are_operations() -> None:
    document = to_openapi([LAMP], title="Lamps", version="1")
    validate(document)
    level, fade = document["paths"]["/api/level"], document["paths"]["/api/{lamp}/fade"]["post"]
    assert set(level) == {"get", "put"}
    assert set(level["get"]["responses"]["200"]["content"]) == {
        "application/json",
        "text/event-stream",
    }
    assert level["put"]["requestBody"]["content"]["application/json"]["schema"] == {
        "type": "integer"
    }
    assert "security" not in level["get"]
    assert fade["security"] == [{"login": []}, {"key": []}]
    assert [(p["name"], p["in"]) for p in fade["parameters"]] == [
        ("lamp", "path"),
        ("slow", "query"),
    ]
    assert fade["requestBody"]["content"]["application/json"]["schema"]["properties"] == {
        "to": {"type": "integer"}
    }
    assert "Location" in fade["responses"]["201"]["headers"]
    blink = document["paths"]["/blink"]["put"]
    assert blink["servers"] == [{"url": "https://other.example"}]
    assert "204" in blink["responses"]


def test_there_and_back() -> None:
    paths = {
        "/pets": {"get": operation(operationId="pets")},
        "/pets/{id}": {
            "post": operation(
                operationId="feed",
                parameters=[{"name": "id", "in": "path", "required": True,
                             "schema": {"type": "integer"}}],
            )
        },
    }  # fmt: skip
    first = convert(api(paths)).td
    written = to_openapi([first], title="Pets", version="1")
    validate(written)
    second = convert(written).td
    [pets] = second["properties"].values()
    [feed] = second["actions"].values()
    for member in ("type", "properties", "required"):
        assert pets[member] == first["properties"]["pets"][member]
    assert feed["output"] == first["actions"]["feed"]["output"]
    assert feed["uriVariables"] == first["actions"]["feed"]["uriVariables"]

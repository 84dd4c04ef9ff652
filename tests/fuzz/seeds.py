"""Good inputs to begin with: real manifests, and what hypothesis draws from strategies."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

from tests.bindings.hostile.strategies import BODIES
from tests.converters.openapi.test_modules import DESCRIPTION
from tests.manifests import NAMES, load_manifest

COUNT = 150


def drawn(strategy: SearchStrategy[Any], count: int = COUNT) -> list[Any]:
    """Always the same ones."""
    found: list[Any] = []

    @settings(
        max_examples=count,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return found


@lru_cache(maxsize=1)
def bodies() -> Sequence[tuple[str, bytes]]:
    """Media types and bytes."""
    return [(body.media_type, body.data) for body in drawn(BODIES)]


_LOCAL = {"modules": [{"name": "x", "urls": {"binary": "data:application/wasm;base64,AGFzbQ=="}}]}


def manifests() -> Sequence[bytes]:
    found = [load_manifest(name) for name in NAMES]
    return [json.dumps(each).encode() for each in (*found, _LOCAL)]


_SCHEMA = {
    "type": "object",
    "required": ["a"],
    "properties": {
        "a": {"type": "integer", "format": "int32", "minimum": 0},
        "b": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}},
        "c": {"oneOf": [{"type": "string", "enum": ["x", "y"]}, {"type": "null"}]},
    },
}
_API: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Pets", "version": "1", "contact": {"email": "a@b.example"}},
    "servers": [{"url": "https://{h}/v1", "variables": {"h": {"default": "pets.example"}}}],
    "security": [{"key": []}, {"flow": ["read"]}],
    "paths": {
        "/pets/{id}": {
            "parameters": [{"name": "id", "in": "path", "schema": {"type": "string"}}],
            "get": {
                "operationId": "getPet",
                "parameters": [{"name": "q", "in": "query", "style": "form", "explode": False}],
                "responses": {
                    "200": {"content": {"application/json": {"schema": _SCHEMA}}},
                    "default": {"description": "bad"},
                },
            },
            "post": {
                "requestBody": {
                    "content": {"multipart/form-data": {"schema": _SCHEMA}},
                },
                "responses": {"201": {"description": "made"}},
                "callbacks": {"done": {"{$request.body#/u}": {"post": {"responses": {}}}}},
            },
        }
    },
    "components": {
        "schemas": {"Pet": _SCHEMA},
        "securitySchemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
            "flow": {
                "type": "oauth2",
                "flows": {
                    "clientCredentials": {"tokenUrl": "https://a.example/t", "scopes": {"read": ""}}
                },
            },
        },
    },
}
_SWAGGER = {
    "swagger": "2.0",
    "info": {"title": "Pets", "version": "1"},
    "host": "pets.example",
    "basePath": "/v1",
    "schemes": ["https"],
    "consumes": ["application/json"],
    "paths": {
        "/p": {
            "put": {
                "parameters": [{"name": "b", "in": "body", "schema": _SCHEMA}],
                "responses": {"200": {"description": "", "schema": {"$ref": "#/definitions/P"}}},
            }
        }
    },
    "definitions": {"P": _SCHEMA},
}


def apis() -> Sequence[bytes]:
    return [json.dumps(each).encode() for each in (_API, _SWAGGER, DESCRIPTION)]

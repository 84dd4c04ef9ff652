"""Security schemes and requirements."""

from typing import Any

import pytest

from tests.converters.openapi.documents import api, convert, lost, operation

SCHEMES: dict[str, Any] = {
    "basic": {"type": "http", "scheme": "Basic"},
    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "digest": {"type": "http", "scheme": "digest"},
    "key": {"type": "apiKey", "in": "query", "name": "k"},
    "code": {"type": "oauth2", "flows": {"authorizationCode": {
        "authorizationUrl": "https://a.example", "tokenUrl": "https://t.example",
        "scopes": {"read": "Read"}}}},
    "old": {"type": "oauth2", "flows": {"implicit": {"authorizationUrl": "https://a.example"}}},
    "open id": {"type": "openIdConnect", "openIdConnectUrl": "https://o.example"},
    "mutual": {"type": "mutualTLS"},
}  # fmt: skip
BEARER = {"scheme": "bearer", "in": "header", "name": "Authorization"}


def secured(security: list[dict[str, list[str]]]) -> Any:
    components = {"securitySchemes": SCHEMES, "schemas": {"Pet": {"type": "object"}}}
    return convert(api({"/x": {"get": operation()}}, components=components, security=security))


@pytest.mark.parametrize(
    ("name", "definition", "is_reported"),
    [
        ("basic", {"scheme": "basic", "in": "header", "name": "Authorization"}, False),
        ("token", {**BEARER, "format": "jwt"}, False),
        ("digest", {"scheme": "digest", "in": "header", "name": "Authorization"}, False),
        ("key", {"scheme": "apikey", "in": "query", "name": "k"}, False),
        ("code", {"scheme": "oauth2", "flow": "code", "authorization": "https://a.example",
                  "token": "https://t.example", "scopes": ["read"]}, True),
        ("old", BEARER, True),
        ("open id", BEARER, True),
        ("mutual", {"scheme": "auto"}, True),
    ],
)  # fmt: skip
def test_each_scheme(name: str, definition: dict[str, Any], is_reported: bool) -> None:
    conversion = secured([{name: []}])
    [used] = conversion.td["security"]
    assert conversion.td["securityDefinitions"][used] == definition
    escaped = f"/components/securitySchemes/{name}/"
    assert any(pointer.startswith(escaped) for pointer, _ in lost(conversion)) or not is_reported


def test_or_and_and() -> None:
    td = secured([{"basic": []}, {"key": [], "token": []}, {}]).td
    definitions = td["securityDefinitions"]
    [combined] = td["security"]
    options = definitions[combined]["oneOf"]
    assert options[0] == "basic"
    assert definitions[options[1]] == {"scheme": "combo", "allOf": ["key", "token"]}
    assert definitions[options[2]] == {"scheme": "nosec"}


def test_an_operation_has_its_own_and_its_scopes() -> None:
    get = operation(security=[{"code": ["read"]}])
    components = {"securitySchemes": SCHEMES, "schemas": {"Pet": {"type": "object"}}}
    document = api({"/x": {"get": get}}, components=components)
    [form] = convert(document).td["properties"]["get_x"]["forms"]
    assert (form["security"], form["scopes"]) == (["code"], ["read"])


def test_a_requirement_that_nothing_defines_is_reported() -> None:
    conversion = secured([{"unknown": []}])
    assert "/security/0/unknown" in {pointer for pointer, _ in lost(conversion)}
    assert conversion.td["security"] == ["nosec_sc"]

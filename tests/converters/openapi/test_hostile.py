"""Whatever an OpenAPI document holds, a valid Thing Description comes out, or a refusal."""

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from converters.errors import ConversionError
from converters.openapi.thing import to_thing_description
from tests.converters.openapi.documents import api, operation
from tests.converters.openapi.test_documents import SWAGGER
from tests.converters.openapi.test_security import SCHEMES
from tests.converters.test_hostile import NASTY, json_values, places, replaced
from thing_descriptions.validator import lint_td, validate_td

FULL = api(
    {
        "/a/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {}}],
            "get": operation(operationId="a", tags=["t"], security=[{"basic": []}, {}]),
            "put": operation(
                requestBody={"content": {"multipart/form-data": {
                    "schema": {"properties": {"f": {"type": "string", "format": "binary"}}},
                    "encoding": {"f": {"contentType": "image/png"}}}}},
                callbacks={"c": {"{$request.query.u}": {"post": operation()}}},
            ),
        }
    },
    components={
        "schemas": {"Pet": {"allOf": [{"$ref": "#/components/schemas/Pet"}, {"enum": [1, None]}]}},
        "securitySchemes": SCHEMES,
    },
    security=[{"code": ["read"], "key": []}],
    tags=[{"name": "t"}],
)  # fmt: skip
SOURCES = {"3": FULL, "2": SWAGGER}


def assert_converts_or_refuses(document: object) -> None:
    try:
        conversion = to_thing_description(document)
    except ConversionError as refusal:
        str(refusal).encode()
        return
    assert validate_td(conversion.td) == []
    assert lint_td(conversion.td) == []
    for loss in conversion.losses:
        f"{loss.pointer}{loss.what}{loss.why}".encode()


@pytest.mark.parametrize("source", SOURCES)
def test_any_value_in_any_place(source: str) -> None:
    document = SOURCES[source]
    for index, place in enumerate(places(document)):
        for nasty in NASTY[index % 6 :: 6]:
            assert_converts_or_refuses(replaced(document, place, copy.deepcopy(nasty)))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_json_in_any_place(data: Any) -> None:
    document = SOURCES[data.draw(st.sampled_from(sorted(SOURCES)))]
    place = data.draw(st.sampled_from(list(places(document))))
    assert_converts_or_refuses(replaced(document, place, data.draw(json_values)))


def test_bombs_are_bounded() -> None:
    schemas: dict[str, Any] = {
        f"S{i}": {"properties": {f"p{j}": {"$ref": f"#/components/schemas/S{i + 1}"} for j in range(9)}}
        for i in range(40)
    }  # fmt: skip
    schemas["Pet"] = {"$ref": "#/components/schemas/S0"}
    schemas["S40"] = {"type": "string"}
    paths = {f"/p{i}": {"get": operation(), "post": operation()} for i in range(700)}
    conversion = to_thing_description(api(paths, components={"schemas": schemas}))
    assert len(str(conversion.td)) < 10_000_000
    assert any("affordances" in loss.why for loss in conversion.losses)
    nested: Any = {}
    for _ in range(100_000):
        nested = {"items": nested}
    with pytest.raises(ConversionError):
        to_thing_description(api({}, x=nested))

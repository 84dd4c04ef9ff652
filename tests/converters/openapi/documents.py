"""Documents for the tests of the conversion, and what is asked of each result."""

from typing import Any

from converters.openapi.thing import Conversion, to_thing_description
from thing_descriptions.validator import lint_td, validate_td

PET = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "integer", "readOnly": True}, "name": {"type": "string"}},
}
JSON_PET = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}}


def api(paths: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {
        "openapi": "3.0.3",
        "info": {"title": "Pets", "version": "1.2"},
        "servers": [{"url": "https://pets.example/v1"}],
        "components": {"schemas": {"Pet": PET}},
        **members,
        "paths": paths,
    }


def operation(**members: Any) -> dict[str, Any]:
    return {"responses": {"200": {"description": "It."} | JSON_PET}, **members}


def convert(document: Any, **options: Any) -> Conversion:
    """The conversion, whose Thing Description is valid."""
    conversion = to_thing_description(document, **options)
    assert validate_td(conversion.td) == []
    assert lint_td(conversion.td) == []
    return conversion


def lost(conversion: Conversion) -> set[tuple[str, str]]:
    return {(loss.pointer, loss.what) for loss in conversion.losses}

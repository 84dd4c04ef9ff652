"""A TD that is consumed: WoTPy's model of it, beside the document as it came."""

import json
from typing import Any

from wotpy.wot.td import ThingDescription

from servient.wot.description import Document

_TYPES = frozenset({"number", "boolean", "string", "object", "array", "integer", "null"})
# For WoTPy's model alone, which has no words for a schema without a type; values are not checked by it.
_ANY_TYPE = "object"
_SCHEMAS = {
    "actions": ("input", "output"),
    "events": ("subscription", "data", "dataResponse", "cancellation"),
}


class ConsumedDescription(ThingDescription):
    """Clients read the document; WoTPy reads a copy in which each schema has a type."""

    def __init__(self, document: str | bytes | Document) -> None:
        """Raises InvalidDescription, and ValueError for what is not JSON."""
        whole = json.loads(document) if isinstance(document, str | bytes) else document
        super().__init__(_typed_document(whole))
        self._doc = whole


def _typed_document(document: Document) -> Document:
    typed = dict(document)
    if isinstance(typed.get("properties"), dict):
        typed["properties"] = {name: _typed(schema) for name, schema in typed["properties"].items()}
    for kind, members in _SCHEMAS.items():
        if isinstance(typed.get(kind), dict):
            typed[kind] = {
                name: {
                    member: _typed(value) if member in members else value
                    for member, value in affordance.items()
                }
                for name, affordance in typed[kind].items()
            }
    return typed


def _typed(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    typed = dict(schema)
    if typed.get("type") not in _TYPES:
        typed["type"] = _ANY_TYPE
    if isinstance(typed.get("properties"), dict):
        typed["properties"] = {name: _typed(each) for name, each in typed["properties"].items()}
    for member in ("items", "oneOf"):
        inner = typed.get(member)
        if inner is not None:
            typed[member] = [_typed(e) for e in inner] if isinstance(inner, list) else _typed(inner)
    return typed

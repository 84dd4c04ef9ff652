"""A Thing that takes in whatever its schemas let pass: what fails on it, the servient failed on."""

from collections.abc import Awaitable, Callable
from typing import Any

from servient.wot.entry import WoT
from servient.wot.thing import ExposedThing, Outcome

THING = "sponge"
ID = "urn:test:sponge"

_FILE = {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"}
SCHEMAS: dict[str, dict[str, Any]] = {
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "text": {"type": "string"},
    "flag": {"type": "boolean"},
    "list": {"type": "array"},
    "object": {"type": "object"},
    "file": _FILE,
    "form": {"type": "object", "properties": {"file": _FILE, "name": {"type": "string"}}},
    "either": {"oneOf": [{"type": "number"}, {"type": "string"}, {"type": "null"}]},
}
NAMES = tuple(SCHEMAS)


def expose_sponge(wot: WoT) -> ExposedThing:
    """Properties, actions and events named after what they take; `later` is not waited for."""
    actions: dict[str, Any] = {
        name: {"input": schema, "output": schema, "synchronous": True}
        for name, schema in SCHEMAS.items()
    }
    document = {
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "id": ID,
        "title": "Sponge",
        "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
        "security": "nosec_sc",
        "properties": {name: {**schema, "observable": True} for name, schema in SCHEMAS.items()},
        "actions": {
            **actions,
            "anything": {"synchronous": True},
            "later": {"input": {"type": "object"}, "synchronous": False},
        },
        "events": {name: {"data": schema} for name, schema in SCHEMAS.items()},
    }
    thing = wot.produce(document, name=THING)
    for name in document["actions"]:
        thing.set_action_handler(name, _taking(name))
    thing.set_property("number", 1)
    thing.expose()
    return thing


def _taking(name: str) -> Callable[[Any], Awaitable[Outcome]]:
    """A handler that gives back what it took, and publishes it."""
    is_published = name in SCHEMAS

    async def take(value: Any) -> Outcome:
        known = {name: value} if is_published and value is not None else {}
        return Outcome(output=value, properties=known, events=known)

    return take

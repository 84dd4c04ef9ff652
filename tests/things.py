"""A Thing for tests of the wires, made as any WoTPy program makes one."""

from typing import Any

from servient.wot.entry import WoT
from servient.wot.thing import ExposedThing, Outcome

THING = "lamp:1"

TD: dict[str, Any] = {
    "@context": [
        "https://www.w3.org/2022/wot/td/v1.1",
        {
            "wasm": "urn:wasm-servient:vocabulary#",
            "cov": "https://www.w3.org/2019/wot/coap#",
            "mqv": "https://www.w3.org/2019/wot/mqtt#",
        },
    ],
    "id": "urn:test:lamp:1",
    "title": "Lamp 1",
    "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
    "security": ["nosec_sc"],
    "properties": {
        "level": {"type": "integer", "minimum": 0, "maximum": 100, "observable": True},
        "double_result": {"type": "integer", "readOnly": True, "observable": True},
        "serial": {"type": "string", "readOnly": True, "observable": False},
        "picture": {
            "type": "string",
            "contentEncoding": "base64",
            "contentMediaType": "image/png",
            "readOnly": True,
            "observable": True,
        },
        "settings": {
            "type": "object",
            "properties": {"error": {"type": "string"}, "id": {"type": "integer"}},
            "observable": True,
        },
    },
    "actions": {
        "double": {
            "input": {
                "type": "object",
                "properties": {"number": {"type": "integer"}},
                "required": ["number"],
            },
            "output": {"type": "integer"},
            "synchronous": True,
            "wasm:resultProperty": "double_result",
            "wasm:completedEvent": "double_completed",
            "wasm:failedEvent": "double_failed",
        },
        "toggle": {"synchronous": True},
        "echo": {
            "input": {"type": "object"},
            "output": {"type": "object"},
            "synchronous": True,
        },
        "invert": {
            "input": {
                "type": "object",
                "properties": {
                    "image": {
                        "type": "string",
                        "contentEncoding": "base64",
                        "contentMediaType": "image/png",
                    }
                },
                "required": ["image"],
            },
            "output": {
                "type": "string",
                "contentEncoding": "base64",
                "contentMediaType": "image/png",
            },
            "synchronous": True,
        },
    },
    "events": {
        "double_completed": {"data": {"type": "object"}},
        "double_failed": {"data": {"type": "object"}},
        "toggled": {"data": {"type": "boolean"}},
    },
}


def expose_lamp(wot: WoT, name: str = THING) -> ExposedThing:
    """Expose the Thing; several may stand side by side under different names."""
    thing = wot.produce({**TD, "title": f"Lamp {name}", "id": f"urn:test:{name}"}, name=name)
    state = {"is_on": False}

    async def double(value: Any) -> Any:
        if value["number"] < 0:
            raise ValueError("negative numbers are not for lamps")
        return value["number"] * 2

    async def toggle(_: Any) -> Outcome:
        state["is_on"] = not state["is_on"]
        return Outcome(events={"toggled": state["is_on"]})

    async def echo(value: Any) -> Any:
        return value

    async def invert(value: Any) -> Any:
        image = value["image"]
        return type(image)(bytes(255 - byte for byte in image.body), image.media_type)

    for action, handler in {
        "double": double,
        "toggle": toggle,
        "echo": echo,
        "invert": invert,
    }.items():
        thing.set_action_handler(action, handler)
    thing.set_property("level", 3)
    thing.set_property("serial", "4711")
    thing.expose()
    return thing

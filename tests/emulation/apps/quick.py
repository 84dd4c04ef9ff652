"""A Thing described and served as programs of WoTPy 0.14 did."""

import asyncio
import json
from typing import Any

DESCRIPTION = {
    "id": "urn:wotemu:quickstart:thing",
    "name": "Quickstart",
    "properties": {"answer": {"type": "integer"}, "note": {"type": "string"}},
    "actions": {"shout": {"input": {"type": "string"}, "output": {"type": "string"}}},
}


async def answer() -> int:
    return 42


async def shout(params: dict[str, Any]) -> str:
    return str(params["input"]).upper()


async def app(wot: Any, conf: Any, loop: asyncio.AbstractEventLoop) -> None:
    thing = wot.produce(json.dumps(DESCRIPTION))
    thing.set_property_read_handler("answer", answer)
    thing.set_action_handler("shout", shout)
    thing.expose()

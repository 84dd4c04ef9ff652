"""A Thing with two properties, as an application of WoTemu's would serve it."""

import asyncio
import random
from typing import Any

THING_ID = "urn:example:quickstart:thing"

DESCRIPTION = {
    "id": THING_ID,
    "name": "Quickstart Thing",
    "properties": {
        "temperature": {"type": "number", "unit": "degree Celsius", "observable": True},
        "uptime": {"type": "integer", "unit": "second", "readOnly": True},
    },
}


async def app(wot: Any, conf: Any, loop: asyncio.AbstractEventLoop) -> None:
    begun = loop.time()

    async def read_temperature() -> float:
        return round(random.gauss(21, 2), 2)

    async def read_uptime() -> int:
        return int(loop.time() - begun)

    thing = wot.produce(DESCRIPTION)
    thing.set_property_read_handler("temperature", read_temperature)
    thing.set_property_read_handler("uptime", read_uptime)
    thing.expose()

"""A sensor: its action measures, which takes a moment."""

import asyncio
import random
from typing import Any

DESCRIPTION = {
    "@context": "https://www.w3.org/2022/wot/td/v1.1",
    "id": "urn:example:chain:sensor",
    "title": "Sensor",
    "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
    "security": ["nosec_sc"],
    "actions": {"measure": {"output": {"type": "number", "unit": "degree Celsius"}}},
}


async def app(wot: Any, conf: Any, loop: asyncio.AbstractEventLoop) -> None:
    async def measure(_: Any) -> float:
        await asyncio.sleep(0.05)
        return round(random.gauss(21, 2), 2)

    thing = wot.produce(DESCRIPTION)
    thing.set_action_handler("measure", measure)
    thing.expose()

"""A gateway: its action asks a sensor a few times, and answers with the mean."""

import asyncio
from statistics import fmean
from typing import Any
from urllib.parse import quote

DESCRIPTION = {
    "@context": "https://www.w3.org/2022/wot/td/v1.1",
    "id": "urn:example:chain:gateway",
    "title": "Gateway",
    "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
    "security": ["nosec_sc"],
    "actions": {
        "average": {
            "input": {"type": "integer", "minimum": 1, "maximum": 10},
            "output": {"type": "number", "unit": "degree Celsius"},
        }
    },
}


async def app(
    wot: Any,
    conf: Any,
    loop: asyncio.AbstractEventLoop,
    sensor_host: str,
    sensor_id: str,
) -> None:
    async def average(count: int) -> float:
        url = f"http://{sensor_host}:{conf.port_catalogue}/{quote(sensor_id, safe='')}"
        sensor = await wot.consume_from_url(url)
        return round(fmean([await sensor.invoke_action("measure") for _ in range(count)]), 2)

    thing = wot.produce(DESCRIPTION)
    thing.set_action_handler("average", average)
    thing.expose()

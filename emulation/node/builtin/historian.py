"""Keeps the values of properties in SQLite or MongoDB, and hands them out, also to other historians."""

import asyncio
import json
import logging
import time
from pathlib import Path
from typing import Any

from emulation.node.archive import Archive
from emulation.node.catalogue import consume_from_catalogue
from emulation.node.history import COLUMNS

logger = logging.getLogger(__name__)

STRING, NUMBER = {"type": "string"}, {"type": "number"}
KEY = dict.fromkeys(COLUMNS, STRING)
VALUES = {"type": "array", "items": {"type": "object"}}
INVOKE_SECONDS = 40.0

THING = {
    "@context": "https://www.w3.org/2022/wot/td/v1.1",
    "id": "urn:org:fundacionctic:thing:historian",
    "title": "Historian Thing",
    "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
    "security": ["nosec_sc"],
    "properties": {"observedThings": {"readOnly": True, "type": "array"}},
    "actions": {
        "list": {"safe": True, "output": VALUES},
        "get": {
            "safe": True,
            "input": {
                "type": "object",
                "properties": {**KEY, "fromUnix": NUMBER, "toUnix": NUMBER, "buckets": NUMBER},
                "required": ["propertyName"],
            },
            "output": VALUES,
        },
        "write": {
            "input": {
                "type": "object",
                "properties": {**KEY, "unixTime": NUMBER, "value": {}},
                "required": [*KEY, "value"],
            }
        },
    },
}


async def app(
    wot: Any,
    conf: Any,
    loop: Any,
    observed_things: str = "[]",
    observe_interval: str = "5",
    downlink_servient_host: str = "",
    downlink_thing_id: str = "",
    downlink_buckets: str = "10",
    downlink_interval: str = "60",
    mongo_uri: str = "",
    file: str = "",
) -> None:
    """`observed_things`: a JSON array of objects with `servient_host` and `thing_id`.

    The values are kept in the MongoDB at `mongo_uri`; without, or where that is not to be reached, in
    `file`, by default one that lasts as long as the replica.
    """
    observed: list[dict[str, str]] = json.loads(observed_things)
    history = await Archive.open(Path(file) if file else Path(":memory:"), mongo_uri)
    _expose(wot, history, observed)
    async with asyncio.TaskGroup() as tasks:
        for each in observed:
            source = (each["servient_host"], each["thing_id"])
            watching = _observe(wot, conf, history, *source, float(observe_interval))
            tasks.create_task(watching, name=each["servient_host"])
        if downlink_servient_host and downlink_thing_id:
            source = (downlink_servient_host, downlink_thing_id)
            span = float(downlink_interval)
            copying = _copy(wot, conf, history, *source, int(downlink_buckets), span)
            tasks.create_task(copying, name="downlink")


def _expose(wot: Any, history: Archive, observed: list[dict[str, str]]) -> None:
    thing = wot.produce(THING)

    async def read_observed() -> Any:
        return [{"servient": one["servient_host"], "thingId": one["thing_id"]} for one in observed]

    async def list_all(value: Any) -> Any:
        return await history.keys()

    async def get(value: Any) -> Any:
        return await history.get(value)

    async def write(value: Any) -> None:
        await history.write(value)

    thing.set_property_read_handler("observedThings", read_observed)
    for name, handler in (("list", list_all), ("get", get), ("write", write)):
        thing.set_action_handler(name, handler)
    thing.expose()


async def _observe(
    wot: Any, conf: Any, history: Archive, host: str, thing_id: str, interval: float
) -> None:
    """Read all properties of a Thing, again and again."""
    while True:
        try:
            thing = await consume_from_catalogue(wot, conf.port_catalogue, host, thing_id)
            for name in thing.properties:
                value = await thing.properties[name].read()
                key = {"propertyName": name, "thingId": thing_id, "servient": host}
                await history.write({**key, "value": value})
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            logger.warning("%s of %s could not be read: %r", thing_id, host, error)
        await asyncio.sleep(interval)


async def _copy(
    wot: Any, conf: Any, history: Archive, host: str, thing_id: str, buckets: int, interval: float
) -> None:
    """Take over from another historian what it came to know in each interval."""
    while True:
        await asyncio.sleep(interval)
        try:
            thing = await consume_from_catalogue(wot, conf.port_catalogue, host, thing_id)
            span = {"fromUnix": time.time() - interval, "toUnix": time.time(), "buckets": buckets}
            for key in await thing.actions["list"].invoke(None, timeout=INVOKE_SECONDS):
                wanted = {**key, **span}
                for entry in await thing.actions["get"].invoke(wanted, timeout=INVOKE_SECONDS):
                    await history.write(entry)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            logger.warning("%s of %s could not be copied: %r", thing_id, host, error)

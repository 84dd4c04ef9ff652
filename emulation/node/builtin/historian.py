"""Keeps the values of properties in a SQLite file, and hands them out, also to other historians."""

import asyncio
import json
import logging
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from emulation.node.catalogue import consume_from_catalogue

logger = logging.getLogger(__name__)

STRING, NUMBER = {"type": "string"}, {"type": "number"}
KEY = {"propertyName": STRING, "thingId": STRING, "servient": STRING}
VALUES = {"type": "array", "items": {"type": "object"}}
INVOKE_SECONDS = 40.0
# Without a `fromUnix`, the values of so long are handed out.
DEFAULT_SPAN_SECONDS = 60.0

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
TABLE = (
    "CREATE TABLE IF NOT EXISTS history (at REAL, property TEXT, thing TEXT, servient TEXT, value)"
)
COLUMNS = {"propertyName": "property", "thingId": "thing", "servient": "servient"}


class History:
    """Values of properties with their times."""

    def __init__(self, file: Path) -> None:
        self._database = sqlite3.connect(file)
        self._database.execute(TABLE)
        self._database.execute("CREATE INDEX IF NOT EXISTS by_time ON history (property, at)")

    def write(self, entry: dict[str, Any]) -> None:
        at = entry.get("unixTime") or time.time()
        names = (entry["propertyName"], entry["thingId"], entry["servient"])
        with self._database:
            self._database.execute(
                "INSERT INTO history VALUES (?, ?, ?, ?, ?)",
                (at, *names, json.dumps(entry["value"])),
            )

    def keys(self) -> list[dict[str, Any]]:
        """What there are values of."""
        rows = self._database.execute(
            "SELECT DISTINCT property, thing, servient FROM history ORDER BY 1, 2, 3"
        )
        return [dict(zip(KEY, row, strict=True)) for row in rows]

    def get(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        """The values in a span of time; with `buckets`, the first of each of so many parts of it."""
        start = float(wanted.get("fromUnix") or time.time() - DEFAULT_SPAN_SECONDS)
        end = float(wanted.get("toUnix") or time.time() + 1)
        conditions, values = ["at >= ?", "at < ?"], [start, end]
        for name, column in COLUMNS.items():
            if wanted.get(name):
                conditions.append(f"{column} = ?")
                values.append(wanted[name])
        query = "SELECT at, property, thing, servient, value FROM history WHERE "
        rows = self._database.execute(query + " AND ".join(conditions) + " ORDER BY at", values)
        found = [
            {"unixTime": at, **dict(zip(KEY, names, strict=True)), "value": json.loads(value)}
            for at, *names, value in rows
        ]
        buckets = int(wanted.get("buckets") or 0)
        return list(_first_of_each(found, start, end, buckets)) if buckets else found


def _first_of_each(
    found: Iterable[dict[str, Any]], start: float, end: float, buckets: int
) -> Iterable[dict[str, Any]]:
    seen = set()
    for entry in found:
        bucket = int((entry["unixTime"] - start) / (end - start) * buckets)
        if bucket not in seen:
            seen.add(bucket)
            yield entry


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

    The values are kept in `file`, by default one that lasts as long as the replica; a `mongo_uri`
    is taken as a name of that.
    """
    observed: list[dict[str, str]] = json.loads(observed_things)
    history = History(Path(file) if file else Path(":memory:"))
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


def _expose(wot: Any, history: History, observed: list[dict[str, str]]) -> None:
    thing = wot.produce(THING)

    async def read_observed() -> Any:
        return [{"servient": one["servient_host"], "thingId": one["thing_id"]} for one in observed]

    async def list_all(value: Any) -> Any:
        return history.keys()

    async def get(value: Any) -> Any:
        return history.get(value)

    async def write(value: Any) -> None:
        history.write(value)

    thing.set_property_read_handler("observedThings", read_observed)
    for name, handler in (("list", list_all), ("get", get), ("write", write)):
        thing.set_action_handler(name, handler)
    thing.expose()


async def _observe(
    wot: Any, conf: Any, history: History, host: str, thing_id: str, interval: float
) -> None:
    """Read all properties of a Thing, again and again."""
    while True:
        try:
            thing = await consume_from_catalogue(wot, conf.port_catalogue, host, thing_id)
            for name in thing.properties:
                value = await thing.properties[name].read()
                key = {"propertyName": name, "thingId": thing_id, "servient": host}
                history.write({**key, "value": value})
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            logger.warning("%s of %s could not be read: %r", thing_id, host, error)
        await asyncio.sleep(interval)


async def _copy(
    wot: Any, conf: Any, history: History, host: str, thing_id: str, buckets: int, interval: float
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
                    history.write(entry)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            logger.warning("%s of %s could not be copied: %r", thing_id, host, error)

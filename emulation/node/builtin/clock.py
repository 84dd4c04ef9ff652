"""Tells the time: as a property, and by two events."""

import asyncio
import contextlib
import time
from datetime import UTC, datetime
from typing import Any

THING = {
    "@context": "https://www.w3.org/2022/wot/td/v1.1",
    "id": "urn:org:fundacionctic:thing:clock",
    "title": "Benchmark Thing",
    "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
    "security": ["nosec_sc"],
    "properties": {"time": {"type": "integer", "readOnly": True}},
    "events": {
        "timeEvent": {"data": {"type": "integer"}},
        "dateEvent": {"data": {"type": "string"}},
    },
}


async def app(wot: Any, conf: Any, loop: Any, interval: str = "2") -> None:
    """`interval`: seconds between two events of each kind."""
    thing = wot.produce(THING)
    thing.set_property_read_handler("time", _milliseconds)
    thing.expose()
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            _emit(thing)
            await asyncio.sleep(float(interval))
    _emit(thing)  # one last before the end


async def _milliseconds() -> int:
    return int(time.time() * 1000)


def _emit(thing: Any) -> None:
    thing.emit_event("timeEvent", int(time.time() * 1000))
    thing.emit_event("dateEvent", datetime.now(UTC).replace(tzinfo=None).isoformat())

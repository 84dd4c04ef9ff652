"""An EventSource, as in browsers, follows our event streams."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from servient.bindings.http.binding import HttpBinding
from tests.interop.node_wot import FOLDER, node_with_packages
from tests.interop.programs import line_of, running
from tests.interop.serving import Lamp, serving


@pytest.fixture
async def lamp() -> AsyncIterator[Lamp]:
    binding = HttpBinding("127.0.0.1", "127.0.0.1", 0, heartbeat_seconds=0.01)
    async with serving(binding) as lamp:
        yield lamp


def listening(lamp: Lamp, kind: str, name: str, op: str) -> Any:
    """An EventSource on the form of the affordance whose subprotocol is that of event streams."""
    [url] = [
        form["href"]
        for form in lamp.td[kind][name]["forms"]
        if form.get("subprotocol") == "sse" and op in form["op"]
    ]
    return running(node_with_packages(), str(FOLDER / "listen.mjs"), url, name)


async def heard(output: asyncio.StreamReader) -> Any:
    return json.loads(await line_of(output))


async def test_hears_properties_and_events(lamp: Lamp) -> None:
    async with (
        listening(lamp, "properties", "level", "observeproperty") as levels,
        listening(lamp, "events", "double_failed", "subscribeevent") as failures,
    ):
        assert [await heard(levels), await heard(failures)] == ["open", "open"]
        ids = []
        for level in (5, 6):
            await lamp.thing.write_property("level", level)
            event = await heard(levels)
            ids.append(event.pop("id"))
            assert event == {"type": "level", "data": level}
        assert len(set(ids)) == 2
        invocation = lamp.thing.start_action("double", {"number": -1})
        with pytest.raises(Exception, match="negative numbers"):
            await invocation.result()
        assert "negative numbers" in (await heard(failures))["data"]["detail"]


async def test_does_not_come_back_to_a_thing_that_is_gone(lamp: Lamp) -> None:
    async with listening(lamp, "properties", "level", "observeproperty") as levels:
        assert await heard(levels) == "open"
        lamp.thing.destroy()
        assert (await heard(levels))["status"] is None  # the stream has ended
        assert (await heard(levels))["status"] == 404
        with pytest.raises(EOFError):
            await line_of(levels)

"""The servient's Thing tells over every wire which Things come, change and go."""

import asyncio
from typing import Any

import pytest

from servient.app import SERVIENT_THING, App
from servient.wot.changes import Change, Changes
from servient.wot.thing import ExposedThing
from tests.consumers.coap import CoapConsumer
from tests.consumers.consumer import Consumer
from tests.consumers.http import HttpConsumer
from tests.consumers.mqtt import MqttConsumer
from tests.consumers.websocket import WebSocketConsumer
from tests.files import FileServer
from tests.things import expose_lamp

DEADLINE_SECONDS = 20.0
MODULE = "fibonacci-1:fibonacci"


def consumers(td: dict[str, Any]) -> list[Consumer]:
    return [
        HttpConsumer(td, subprotocol="sse"),
        CoapConsumer(td),
        WebSocketConsumer(td, dialect="webthingprotocol"),
        MqttConsumer(td, version=4),
    ]


async def test_every_wire_tells_of_deployed_things(app: App, files: FileServer) -> None:
    own = app.servient.exposed(SERVIENT_THING)
    for consumer in consumers(app.servient.td(own)):
        async with (
            asyncio.timeout(DEADLINE_SECONDS),
            consumer.subscribe("thingCreated") as created,
            consumer.subscribe("thingDeleted") as deleted,
        ):
            deployed = await app.deployer.deploy(files.manifest("fibonacci/manifest.json"))
            thing_id = app.servient.exposed(MODULE).description.id
            assert await anext(created) == {"id": thing_id}
            await app.deployer.undeploy(deployed.id)
            assert await anext(deleted) == {"id": thing_id}
        await consumer.close()


async def test_a_thing_that_changes_is_told_of(app: App) -> None:
    own = app.servient.exposed(SERVIENT_THING)
    lamp = expose_lamp(app.wot)
    consumer = HttpConsumer(app.servient.td(own), subprotocol="sse")
    async with (
        asyncio.timeout(DEADLINE_SECONDS),
        consumer.subscribe("thingUpdated") as updated,
    ):
        lamp.add_property("colour", {"type": "string"})
        lamp.remove_property("colour")
        assert [await anext(updated), await anext(updated)] == [{"id": "urn:test:lamp:1"}] * 2
    await consumer.close()


async def test_only_what_is_served_is_told_of(app: App) -> None:
    heard: list[tuple[Change, str]] = []
    undo = app.servient.changes.watch(lambda change, thing: heard.append((change, thing.name)))
    lamp = app.wot.produce(
        {**expose_lamp(app.wot).description.document, "title": "x", "id": "urn:x"}
    )
    lamp.add_event("late", {})
    lamp.destroy()
    undo()
    expose_lamp(app.wot, "third")
    assert heard == [(Change.CREATED, "lamp:1")]


def test_a_watcher_that_fails_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    class Named:
        name = "lamp"

    def fail(_: Change, __: ExposedThing) -> None:
        raise ValueError("no")

    changes, heard = Changes(), []
    changes.watch(fail)
    changes.watch(lambda change, _: heard.append(change))
    changes.tell(Change.UPDATED, Named())  # type: ignore[arg-type]  # a name is all that is asked for
    assert heard == [Change.UPDATED]
    assert "a watcher of thingUpdated failed at lamp" in caplog.text

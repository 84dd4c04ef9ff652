"""Operations on a Thing as a whole: all properties, all events, all invocations."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from servient.errors import InvalidInput, NotFound, NoValue, OperationNotAllowed
from servient.wot.action_status import to_status
from servient.wot.content import Content
from servient.wot.door import Door, Interaction
from servient.wot.invocation import Status
from servient.wot.operations import Operation
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing
from tests.wot.documents import td, worker

Expose = Callable[..., ExposedThing]

PROPERTIES: dict[str, Any] = {
    "level": {"type": "integer", "minimum": 0, "observable": True},
    "name": {"type": "string"},
    "secret": {"type": "string", "writeOnly": True},
    "serial": {"type": "string", "readOnly": True},
}


@pytest.fixture
def thing(expose: Expose) -> ExposedThing:
    exposed = expose(td(properties=PROPERTIES, events={"overheated": {"data": {"type": "number"}}}))
    exposed.set_property("level", 1)
    exposed.set_property("secret", "x")
    exposed.set_property("serial", "42")
    return exposed


async def test_all_that_can_be_read_is_read(thing: ExposedThing, servient: Servient) -> None:
    door = Door(servient)
    assert await door.read_properties(thing.name) == {"level": 1, "serial": "42"}
    assert await door.read_properties(thing.name, ["serial"]) == {"serial": "42"}
    assert await door.read_properties(thing.name, []) == {}


@pytest.mark.parametrize(
    ("name", "error"), [("name", NoValue), ("secret", OperationNotAllowed), ("none", NotFound)]
)
async def test_what_is_named_has_to_be_there(
    thing: ExposedThing, servient: Servient, name: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await Door(servient).read_properties(thing.name, ["level", name])


async def test_several_are_written_at_once(thing: ExposedThing, servient: Servient) -> None:
    await Door(servient).write_properties(thing.name, Content(b'{"level": 2, "name": "a"}'))
    assert (thing.value_of("level"), thing.value_of("name")) == (2, "a")


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"level": 2, "name": 3}, InvalidInput),
        ({"level": 2, "serial": "43"}, OperationNotAllowed),
        ({"level": 2, "none": 1}, NotFound),
        ([1], InvalidInput),
        (None, InvalidInput),
    ],
)
async def test_one_that_does_not_fit_keeps_all_from_being_written(
    thing: ExposedThing, servient: Servient, values: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await Door(servient).write_properties(thing.name, values)
    assert thing.value_of("level") == 1


async def test_a_fault_says_which_property_it_is_of(
    thing: ExposedThing, servient: Servient
) -> None:
    with pytest.raises(InvalidInput, match="/level: ") as caught:
        await Door(servient).write_properties(thing.name, {"level": -1})
    assert [fault["pointer"] for fault in caught.value.faults] == ["/level"]


async def test_all_properties_that_are_observable_are_observed(
    thing: ExposedThing, servient: Servient
) -> None:
    wanted = Interaction(Operation.OBSERVE_ALL_PROPERTIES, thing.name, "")
    async with Door(servient).subscribe(wanted) as changes:
        thing.set_property("name", "not observable")
        thing.set_property("level", 5)
        thing.emit_event("overheated", 90)
        assert (await anext(changes)).value == 5
        thing.destroy()
        with pytest.raises(StopAsyncIteration):
            await anext(changes)


async def test_all_events_are_subscribed_to(thing: ExposedThing, servient: Servient) -> None:
    wanted = Interaction(Operation.SUBSCRIBE_ALL_EVENTS, thing.name, "")
    async with Door(servient).subscribe(wanted) as events:
        thing.set_property("level", 5)
        thing.emit_event("overheated", 90)
        notification = await anext(events)
        assert (notification.name, notification.value) == ("overheated", 90)


async def test_invocations_are_found_newest_first(expose: Expose, servient: Servient) -> None:
    thing = expose(worker(), work=lambda value: value)
    first, second = thing.start_action("work", 1), thing.start_action("work", 2)
    assert await first.result() == 1
    assert await second.result() == 2
    door = Door(servient)
    assert door.invocations(thing.name) == {"work": [second, first]}
    assert door.invocation(thing.name, "work", second.number) is second
    for action, number in (("work", "99"), ("rest", first.number), ("work", "../work:0")):
        with pytest.raises(NotFound):
            door.invocation(thing.name, action, number)


async def test_a_status_says_how_an_invocation_went(expose: Expose) -> None:
    def work(value: Any) -> Any:
        return 1 // value

    thing = expose(worker(), work=work)
    completed, failed = thing.start_action("work", 1), thing.start_action("work", 0)
    await asyncio.wait([asyncio.ensure_future(each.result()) for each in (completed, failed)])
    good, bad = to_status(completed, "/x/0"), to_status(failed, "/x/1")
    assert (good["status"], good["output"], good["href"]) == ("completed", 1, "/x/0")
    assert good["timeEnded"] >= good["timeRequested"]
    assert (bad["status"], bad["error"]["instance"]) == ("failed", "/x/1")
    assert "output" not in bad


async def test_an_invocation_that_is_cancelled_has_failed(expose: Expose) -> None:
    begun = asyncio.Event()

    async def work(_: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    thing = expose(worker(), work=work)
    invocation = thing.start_action("work", 1)
    await begun.wait()
    invocation.cancel()
    with pytest.raises(Exception, match="cancelled"):
        await invocation.result()
    assert invocation.status is Status.FAILED
    invocation.cancel()  # over: nothing happens

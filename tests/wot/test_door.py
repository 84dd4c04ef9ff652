"""The one door: what it refuses, and with which error."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from servient.errors import (
    ActionFailed,
    Conflict,
    DeadlineExceeded,
    InvalidInput,
    NotFound,
    NoValue,
    OperationNotAllowed,
    PropertyFailed,
    ServientError,
    UnsupportedContent,
)
from servient.wot.content import Content
from servient.wot.door import Door, Interaction
from servient.wot.entry import WoT
from servient.wot.operations import Operation
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing
from tests.wot.documents import td

READ, WRITE, OBSERVE = (
    Operation.READ_PROPERTY,
    Operation.WRITE_PROPERTY,
    Operation.OBSERVE_PROPERTY,
)
INVOKE, SUBSCRIBE = Operation.INVOKE_ACTION, Operation.SUBSCRIBE_EVENT
UNOBSERVE, UNSUBSCRIBE = Operation.UNOBSERVE_PROPERTY, Operation.UNSUBSCRIBE_EVENT

DOCUMENT = td(
    "Door",
    id="urn:test:door",
    properties={
        "level": {"type": "integer", "minimum": 0, "observable": True},
        "serial": {"type": "string", "readOnly": True},
        "pin": {"type": "string", "writeOnly": True},
        "unset": {"type": "integer", "observable": True},
        "same": {"type": "integer", "readOnly": True},
    },
    actions={
        "double": {
            "input": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
        },
        "plain": {},
        "same": {"input": {"type": "integer"}},
    },
    events={"rang": {"data": {"type": "string"}}},
)

Expose = Callable[..., ExposedThing]


@pytest.fixture
def thing(expose: Expose) -> ExposedThing:
    thing = expose(
        DOCUMENT,
        "door",
        double=lambda value: value["n"] * 2,
        plain=lambda value: value,
        same=lambda value: value,
    )
    thing.set_property("level", 3)
    thing.set_property("serial", "4711")
    thing.set_property("same", 1)
    return thing


async def use(door: Door, operation: Operation, name: str, value: Any = None) -> Any:
    return await door.perform(Interaction(operation, "door", name, value))


async def test_each_operation_does_what_it_says(door: Door, thing: ExposedThing) -> None:
    assert await use(door, READ, "level") == 3
    assert await use(door, WRITE, "level", Content(b"4")) is None
    assert await use(door, READ, "level") == 4
    assert await use(door, WRITE, "pin", "1234") is None
    assert await use(door, INVOKE, "double", Content(b'{"n": 21}')) == 42
    assert await use(door, INVOKE, "double", {"n": 2}) == 4
    assert await use(door, INVOKE, "plain") is None
    assert await use(door, INVOKE, "plain", Content(b"[1]")) == [1]
    invocation = door.invoke(Interaction(INVOKE, "door", "double", {"n": 3}))
    assert (await invocation.result(), invocation.is_over) == (6, True)
    levels = door.subscribe(Interaction(OBSERVE, "door", "level"))
    rings = door.subscribe(Interaction(SUBSCRIBE, "door", "rang"))
    await use(door, WRITE, "level", 5)
    thing.emit_event("rang", "bell")
    assert [(await anext(s)).value for s in (levels, rings)] == [5, "bell"]


@pytest.mark.parametrize("name", ["door", "Door", "urn:test:door"])
async def test_a_thing_is_found_by_name_title_and_id(
    door: Door, thing: ExposedThing, name: str
) -> None:
    assert await door.perform(Interaction(READ, name, "level")) == 3


# They are about no affordance, which is spelled "".
OF_ALL = (Operation.OBSERVE_ALL_PROPERTIES, Operation.SUBSCRIBE_ALL_EVENTS)


@pytest.mark.parametrize("operation", [each for each in Operation if each not in OF_ALL])
@pytest.mark.parametrize("name", ["", "x", "level ", "LEVEL", "../level", "\ud800", "a" * 10_000])
async def test_unknown_names_are_not_found_whatever_is_asked(
    door: Door, thing: ExposedThing, operation: Operation, name: str
) -> None:
    for interaction in (
        Interaction(operation, name, "level"),
        Interaction(operation, "door", name),
    ):
        with pytest.raises((NotFound, OperationNotAllowed)) as refused:
            await door.perform(interaction)
        assert isinstance(refused.value, NotFound) or operation not in (READ, WRITE, INVOKE)
        with pytest.raises((NotFound, OperationNotAllowed)) as refused:
            door.subscribe(interaction)
        assert isinstance(refused.value, NotFound) or operation not in (OBSERVE, SUBSCRIBE)
        with pytest.raises((NotFound, OperationNotAllowed)) as refused:
            door.invoke(interaction)
        assert isinstance(refused.value, NotFound) or operation is not INVOKE
        assert len(refused.value.detail) < 400


async def test_what_is_not_exposed_is_not_found(door: Door, wot: WoT) -> None:
    produced = wot.produce(DOCUMENT, "door")
    with pytest.raises(NotFound):
        await use(door, READ, "level")
    produced.expose()
    with pytest.raises(NoValue):
        await use(door, READ, "level")
    produced.destroy()
    for operation in (READ, WRITE, INVOKE):
        with pytest.raises(NotFound):
            await use(door, operation, "level", 1)


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        (WRITE, "serial"),
        (READ, "pin"),
        (OBSERVE, "level"),
        (SUBSCRIBE, "rang"),
        (UNOBSERVE, "level"),
        (UNSUBSCRIBE, "rang"),
    ],
)
async def test_what_cannot_be_performed_is_not_allowed(
    door: Door, thing: ExposedThing, operation: Operation, name: str
) -> None:
    with pytest.raises(OperationNotAllowed) as refused:
        await use(door, operation, name, "1")
    assert refused.value.status == 405


@pytest.mark.parametrize(
    ("operation", "name"),
    [(OBSERVE, "serial"), (OBSERVE, "same"), (READ, "level"), (READ, "serial"), (INVOKE, "plain")],
)
async def test_what_cannot_be_subscribed_to_is_not_allowed(
    door: Door, thing: ExposedThing, operation: Operation, name: str
) -> None:
    with pytest.raises(OperationNotAllowed):
        door.subscribe(Interaction(operation, "door", name))
    thing.set_property("level", 9)
    assert not thing.publisher._subscriptions


@pytest.mark.parametrize("operation", [READ, WRITE, OBSERVE, SUBSCRIBE])
async def test_only_actions_are_started(
    door: Door, servient: Servient, thing: ExposedThing, operation: Operation
) -> None:
    """An action's input is checked, so nothing but its own operation may start it."""
    with pytest.raises(OperationNotAllowed):
        door.invoke(Interaction(operation, "door", "same", "not an integer"))
    assert len(servient.invocations) == 0


async def test_there_may_be_no_value_yet(door: Door, thing: ExposedThing) -> None:
    with pytest.raises(NoValue) as refused:
        await use(door, READ, "unset")
    assert (refused.value.status, refused.value.title) == (404, "No value yet")
    assert await thing.read_property("unset") is None
    await use(door, WRITE, "unset", 0)
    assert await use(door, READ, "unset") == 0
    thing.set_property("unset", None)
    assert await use(door, READ, "unset") is None


@pytest.mark.parametrize(
    ("value", "pointers"),
    [
        (None, [""]),
        ({}, [""]),
        ({"n": "x"}, ["/n"]),
        ({"n": None}, ["/n"]),
        ({"n": 1.5}, ["/n"]),
        ([], [""]),
        (Content(b""), [""]),
        (Content(b'{"n": true}'), ["/n"]),
        (Content(b"null"), [""]),
    ],
)
async def test_a_bad_input_is_refused_before_anything_runs(
    door: Door, servient: Servient, thing: ExposedThing, value: Any, pointers: list[str]
) -> None:
    ran: list[Any] = []
    thing.set_action_handler("double", ran.append)
    with pytest.raises(InvalidInput) as refused:
        await use(door, INVOKE, "double", value)
    assert [fault["pointer"] for fault in refused.value.faults] == pointers
    assert (ran, len(servient.invocations)) == ([], 0)


@pytest.mark.parametrize(
    "body",
    [
        b"NaN",
        b"1e999",
        b"9" * 10_000,
        b"[" * 100_000,
        b"\xff",
        b'"\xed\xa0\x80"',
        b"{",
        b"-1",
        b'"3"',
        b"3.5",
        b"true",
        b"null",
        b"",
    ],
    ids=lambda body: repr(body)[:20],
)
async def test_a_bad_value_is_never_written(door: Door, thing: ExposedThing, body: bytes) -> None:
    with pytest.raises(InvalidInput):
        await use(door, WRITE, "level", Content(body))
    assert await use(door, READ, "level") == 3


async def test_of_members_given_twice_the_checked_one_counts(
    door: Door, thing: ExposedThing
) -> None:
    assert await use(door, INVOKE, "double", Content(b'{"n": "x", "n": 4}')) == 8
    with pytest.raises(InvalidInput):
        await use(door, INVOKE, "double", Content(b'{"n": 4, "n": "x"}'))


@pytest.mark.parametrize("media_type", ["text/html", "", "application/xml", "x" * 10_000])
async def test_content_that_nobody_wants_is_unsupported(
    door: Door, thing: ExposedThing, media_type: str
) -> None:
    for operation, name in ((WRITE, "level"), (INVOKE, "double"), (INVOKE, "plain")):
        with pytest.raises(UnsupportedContent) as refused:
            await use(door, operation, name, Content(b"5", media_type))
        assert refused.value.status == 415
        assert len(refused.value.detail) < 200


# Handlers of properties


async def test_handlers_may_be_coroutines_or_not(door: Door, thing: ExposedThing) -> None:
    written: list[Any] = []

    async def read() -> int:
        return 7

    async def write(value: int) -> None:
        written.append(value)

    thing.set_property_read_handler("level", read).set_property_write_handler("level", write)
    thing.set_property_read_handler("serial", lambda: "4712")
    thing.set_property_write_handler("pin", written.append)
    levels = door.subscribe(Interaction(OBSERVE, "door", "level"))
    assert (await use(door, READ, "level"), await use(door, READ, "serial")) == (7, "4712")
    await use(door, WRITE, "level", 8)
    await use(door, WRITE, "pin", "1")
    assert written == [8, "1"]
    assert (await anext(levels)).value == 8
    assert await use(door, READ, "level") == 7


@pytest.mark.parametrize(
    "error",
    [
        ValueError("the password is 1234"),
        KeyError("1234"),
        TimeoutError("1234"),
        asyncio.CancelledError("1234"),
        RecursionError("1234"),
        MemoryError("1234"),
        StopAsyncIteration("1234"),
        ExceptionGroup("1234", [ValueError("1234")]),
    ],
    ids=repr,
)
async def test_whatever_a_propertys_handler_raises_is_its_failure(
    door: Door, thing: ExposedThing, error: BaseException
) -> None:
    """What it says is for the log: properties are read by anybody."""

    def fail(*_: Any) -> None:
        raise error

    thing.set_property_read_handler("level", fail)
    thing.set_property_write_handler("level", fail)
    for operation in (READ, WRITE):
        with pytest.raises(PropertyFailed) as refused:
            await use(door, operation, "level", 1)
        assert refused.value.status == 500
        assert "level" in refused.value.detail
        assert "1234" not in refused.value.detail
        assert refused.value.__cause__ is error


async def test_a_handler_refuses_in_its_own_words(door: Door, thing: ExposedThing) -> None:
    def refuse(*_: Any) -> None:
        raise Conflict("the lamp is broken")

    thing.set_property_write_handler("level", refuse)
    with pytest.raises(Conflict, match="the lamp is broken"):
        await use(door, WRITE, "level", 1)


async def test_a_propertys_handler_that_hangs_is_given_up(
    door: Door, servient: Servient, thing: ExposedThing
) -> None:
    servient.invocation_deadline_seconds = 0.01
    never = asyncio.Event()
    thing.set_property_read_handler("level", never.wait)
    with pytest.raises(DeadlineExceeded, match=r"property 'level' did not end within 0\.01 s"):
        await use(door, READ, "level")


async def test_who_stops_reading_is_cancelled_itself(door: Door, thing: ExposedThing) -> None:
    entered = asyncio.Event()

    async def read() -> None:
        entered.set()
        await asyncio.Event().wait()

    thing.set_property_read_handler("level", read)
    reading = asyncio.create_task(use(door, READ, "level"))
    await entered.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_errors_of_actions_come_out_as_they_are(door: Door, thing: ExposedThing) -> None:
    def fail(value: dict[str, int]) -> None:
        if value["n"]:
            raise Conflict("busy")
        raise ValueError("zero")

    thing.set_action_handler("double", fail)
    with pytest.raises(Conflict, match="busy"):
        await use(door, INVOKE, "double", {"n": 1})
    with pytest.raises(ActionFailed, match="'double' failed: zero"):
        await use(door, INVOKE, "double", {"n": 0})
    thing.add_action("handlerless", {})
    with pytest.raises(ServientError, match="handler"):
        await use(door, INVOKE, "handlerless")

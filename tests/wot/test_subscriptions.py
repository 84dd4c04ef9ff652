"""Subscriptions are bounded, end with their Thing, and leave nothing behind."""

import asyncio
import math
from collections.abc import Callable
from typing import Any

import pytest

from servient.errors import ServientError
from servient.wot.door import Door, Interaction
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.publisher import Publisher
from servient.wot.servient import Servient
from servient.wot.subscription import QUEUE_LIMIT, Subscription
from servient.wot.thing import ExposedThing
from tests.wot.documents import td

Expose = Callable[..., ExposedThing]
LEVEL = (AffordanceKind.PROPERTY, "level")
RANG = (AffordanceKind.EVENT, "rang")
DEADLINE_SECONDS = 20.0


@pytest.fixture
def thing(expose: Expose) -> ExposedThing:
    return expose(
        td(
            properties={name: {"observable": True} for name in ("level", "other")},
            events={"rang": {"data": {}}, "level": {"data": {}}},
        )
    )


@pytest.fixture
def levels(door: Door, thing: ExposedThing) -> Subscription:
    return door.subscribe(Interaction(Operation.OBSERVE_PROPERTY, "thing", "level"))


async def values(subscription: Subscription, count: int) -> list[Any]:
    async with asyncio.timeout(DEADLINE_SECONDS):
        return [(await anext(subscription)).value for _ in range(count)]


async def rest(subscription: Subscription) -> list[Any]:
    async with asyncio.timeout(DEADLINE_SECONDS):
        return [notification.value async for notification in subscription]


def is_silent(thing: ExposedThing) -> bool:
    """Whether nobody is left who would hear of the Thing."""
    publisher = thing.publisher
    return not publisher._listeners and not publisher._subscriptions


async def test_a_subscriber_gets_its_affordance_from_now_on(
    thing: ExposedThing, levels: Subscription
) -> None:
    for value in (1, None, {"a": [2]}):
        thing.set_property("level", value)
        thing.set_property("other", "not this")
        thing.emit_event("level", "nor this")
    assert await values(levels, 3) == [1, None, {"a": [2]}]
    thing.set_property("level", 4)
    notification = await anext(levels)
    assert (notification.thing, notification.kind, notification.name) == ("thing", *LEVEL)
    assert notification.content.body == b"4"
    assert notification.time.tzinfo is not None


async def test_ids_grow_through_all_things_of_a_servient(
    expose: Expose, thing: ExposedThing
) -> None:
    other = expose(td("Other", events={"rang": {}}), "other")
    ids: list[int] = []
    for each in (thing, other):
        each.publisher.listen(lambda notification: ids.append(notification.id))
    for number in range(3):
        thing.emit_event("rang", number)
        other.emit_event("rang", number)
    assert ids == sorted(set(ids))
    assert len(ids) == 6


async def test_a_slow_subscriber_loses_its_own_oldest(
    door: Door, thing: ExposedThing, levels: Subscription
) -> None:
    newest = door.subscribe(Interaction(Operation.OBSERVE_PROPERTY, "thing", "level"), limit=1)
    heard: list[Any] = []
    thing.publisher.listen(lambda notification: heard.append(notification.value), LEVEL)
    for value in range(QUEUE_LIMIT + 10):
        thing.set_property("level", value)
    assert len(heard) == QUEUE_LIMIT + 10
    assert (levels.dropped, newest.dropped) == (10, QUEUE_LIMIT + 9)
    thing.destroy()
    assert await rest(levels) == list(range(10, QUEUE_LIMIT + 10))
    assert await rest(newest) == [QUEUE_LIMIT + 9]


async def test_it_ends_with_its_thing_once_the_queue_is_empty(
    thing: ExposedThing, levels: Subscription
) -> None:
    thing.set_property("level", 1)
    thing.destroy()
    thing.set_property("level", 2)
    assert await rest(levels) == [1]
    assert await rest(levels) == []
    assert levels.is_ended
    assert is_silent(thing)


async def test_it_ends_while_somebody_waits(thing: ExposedThing, levels: Subscription) -> None:
    waiting = asyncio.create_task(rest(levels))
    await asyncio.sleep(0)
    thing.destroy()
    assert await waiting == []


async def test_leaving_leaves_nothing_behind(thing: ExposedThing, levels: Subscription) -> None:
    async with levels:
        thing.set_property("level", 1)
    assert is_silent(thing)
    thing.set_property("level", 2)
    assert await rest(levels) == []
    levels.close()
    levels.close()
    assert is_silent(thing)
    with pytest.raises(RuntimeError, match="the subscriber's own"):
        async with thing.publisher.subscribe(*RANG):
            raise RuntimeError("the subscriber's own")
    assert is_silent(thing)


async def test_closing_after_the_end_is_harmless(thing: ExposedThing, levels: Subscription) -> None:
    thing.set_property("level", 1)
    thing.destroy()
    levels.close()
    assert await rest(levels) == []


async def test_closing_one_leaves_the_others(door: Door, thing: ExposedThing) -> None:
    observe = Interaction(Operation.OBSERVE_PROPERTY, "thing", "level")
    subscriptions = [door.subscribe(observe) for _ in range(3)]
    subscriptions[1].close()
    subscriptions[1].close()
    thing.set_property("level", 5)
    thing.publisher.end()
    assert [await rest(subscription) for subscription in subscriptions] == [[5], [], [5]]


async def test_nothing_comes_after_it_is_closed(thing: ExposedThing) -> None:
    """Not even what is being published when a listener before it closes it."""
    thing.publisher.listen(lambda _: second.close(), LEVEL)
    second = thing.publisher.subscribe(*LEVEL)
    thing.set_property("level", 1)
    assert await rest(second) == []
    assert not second._queue


async def test_two_who_wait_on_one_subscription_do_not_hang(
    thing: ExposedThing, levels: Subscription
) -> None:
    """It is made for one; two share what comes, and both are told of the end."""
    waiting = [asyncio.create_task(rest(levels)) for _ in range(2)]
    for value in range(10):
        await asyncio.sleep(0)
        thing.set_property("level", value)
    await asyncio.sleep(0)
    thing.destroy()
    first, second = await asyncio.gather(*waiting)
    assert sorted(first + second) == list(range(10))


async def test_who_stops_waiting_loses_nothing(thing: ExposedThing, levels: Subscription) -> None:
    received: list[int] = []
    for value in range(20):
        waiting = asyncio.ensure_future(anext(levels))
        await asyncio.sleep(0)
        if value % 2:
            thing.set_property("level", value)
        waiting.cancel()
        await asyncio.wait([waiting])
        if not waiting.cancelled():
            received.append(waiting.result().value)
    thing.destroy()
    assert received + await rest(levels) == [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]
    assert len(received) == 9


@pytest.mark.parametrize(
    "value", [math.nan, {1}, b"bytes", 10**5_000], ids=lambda v: type(v).__name__
)
async def test_what_no_wire_can_carry_is_nobodys_notification(
    thing: ExposedThing, levels: Subscription, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A program may keep such a value; its consumers wait for the next that they can get."""
    told: list[Any] = []
    thing.properties["level"].subscribe(on_next=lambda item: told.append(item.data.value))
    await thing.write_property("level", value)
    await thing.write_property("level", 5)
    assert await values(levels, 1) == [5]
    assert told[0] is value
    assert "cannot be written as JSON" in caplog.text


async def test_a_notification_is_what_was_published(
    thing: ExposedThing, levels: Subscription
) -> None:
    """A program may go on changing the value that it has set."""
    schedule = ["10:00"]
    thing.set_property("level", schedule)
    schedule.append("11:00")
    thing.set_property("level", schedule)
    bodies = [(await anext(levels)).content.body for _ in range(2)]
    assert bodies == [b'["10:00"]', b'["10:00","11:00"]']


async def test_wotpys_subscribers_leave_nothing_behind_either(thing: ExposedThing) -> None:
    told: list[Any] = []
    for _ in range(3):
        watch = thing.properties["level"].subscribe(on_next=told.append)
        thing.set_property("level", 1)
        watch.dispose()
        thing.set_property("level", 2)
    assert [item.data.value for item in told] == [1, 1, 1]
    assert not thing._events_stream.observers


async def test_subscriptions_end_when_the_servient_stops_and_begin_anew(
    servient: Servient, door: Door, thing: ExposedThing, levels: Subscription
) -> None:
    await servient.shutdown()
    assert await rest(levels) == []
    assert is_silent(thing)
    await servient.start()
    again = door.subscribe(Interaction(Operation.OBSERVE_PROPERTY, "thing", "level"))
    thing.set_property("level", 6)
    assert await values(again, 1) == [6]


# The publisher


def test_an_undo_undoes_its_own_listening() -> None:
    publisher = Publisher("thing")
    heard: list[str] = []

    def listener(notification: Any) -> None:
        heard.append(notification.value)

    undo, _, undo_all = (publisher.listen(listener, of) for of in (RANG, RANG, None))
    publisher.publish(*RANG, "thrice")
    undo()
    undo()
    publisher.publish(*RANG, "twice")
    publisher.publish(*LEVEL, "once")
    undo_all()
    publisher.publish(*LEVEL, "never")
    publisher.end()
    publisher.publish(*RANG, "never")
    undo()
    assert heard == ["thrice"] * 3 + ["twice"] * 2 + ["once"]


def test_listeners_may_come_and_go_while_something_is_published() -> None:
    publisher = Publisher("thing")
    heard: list[str] = []

    def once(_: Any) -> None:
        heard.append("once")
        undo()
        publisher.listen(lambda _: heard.append("later"), RANG)

    undo = publisher.listen(once, RANG)
    publisher.listen(lambda _: heard.append("always"), RANG)
    publisher.publish(*RANG, 1)
    publisher.publish(*RANG, 2)
    assert heard == ["once", "always", "always", "later"]


def test_nobody_listening_costs_no_number() -> None:
    publisher = Publisher("thing")
    publisher.publish(*RANG, object())
    ids: list[int] = []
    publisher.listen(lambda notification: ids.append(notification.id))
    publisher.publish(*RANG, 1)
    assert ids == [0]


def test_a_bug_that_is_no_error_passes() -> None:
    """Only programs that end may interrupt who publishes."""
    publisher = Publisher("thing")

    def leave(_: Any) -> None:
        raise KeyboardInterrupt

    publisher.listen(leave)
    with pytest.raises(KeyboardInterrupt):
        publisher.publish(*RANG, 1)


async def test_a_subscription_refuses_what_has_no_content() -> None:
    publisher = Publisher("thing")
    pushed: list[Any] = []
    publisher.listen(pushed.append)
    publisher.publish(*RANG, math.nan)
    subscription = Subscription()
    with pytest.raises(ServientError):
        subscription.push(pushed[0])
    subscription.end()
    assert await rest(subscription) == []

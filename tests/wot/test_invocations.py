"""Records of invocations: bounded, of unique ids, and light."""

import asyncio
import gc
import logging
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from servient.errors import ActionFailed, Busy, InvalidInput, NotFound, ServientError
from servient.wot.entry import WoT
from servient.wot.invocation import Status
from servient.wot.invocations import Bounds, Invocations
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing
from tests.wot.documents import worker

Expose = Callable[..., ExposedThing]


def ended(invocations: Invocations, number: int) -> str:
    invocation = invocations.open("thing", "act", number)
    invocation.complete(number)
    invocations.close(invocation)
    return invocation.id


async def test_the_history_is_bounded_and_forgets_the_oldest() -> None:
    invocations = Invocations(Bounds(history=3))
    ids = [ended(invocations, number) for number in range(10)]
    assert [invocation.id for invocation in invocations] == ids[-3:]
    assert len(invocations) == 3
    assert [invocations.find(kept).output for kept in ids[-3:]] == [7, 8, 9]
    for forgotten in ids[:-3]:
        with pytest.raises(NotFound):
            invocations.find(forgotten)


async def test_what_runs_is_never_forgotten() -> None:
    invocations = Invocations(Bounds(history=1, running=2))
    running = invocations.open("thing", "act", None)
    for number in range(5):
        ended(invocations, number)
    assert invocations.find(running.id) is running
    invocations.open("thing", "act", None)
    with pytest.raises(Busy, match="2 invocations"):
        invocations.open("thing", "act", None)
    assert [invocation.status for invocation in invocations] == ["completed", "pending", "pending"]


@pytest.mark.parametrize("unknown", ["", "x", "thing:act:99", "\ud800", "x" * 100_000])
async def test_unknown_ids_are_not_found(unknown: str) -> None:
    with pytest.raises(NotFound) as refused:
        Invocations().find(unknown)
    assert len(refused.value.detail) < 300


async def test_ids_are_unique_across_redeployments(expose: Expose, servient: Servient) -> None:
    ids: list[str] = []
    for _ in range(3):
        for name in ("a", "b"):
            thing = expose(worker(title=name), name, work=lambda value: value)
            for _ in range(3):
                invocation = thing.start_action("work")
                await invocation.result()
                ids.append(invocation.id)
            thing.destroy()
    assert len(set(ids)) == len(ids) == 18
    assert all(servient.invocations.find(each).id == each for each in ids)


async def test_a_result_is_there_for_all_who_wait_and_for_who_comes_late(expose: Expose) -> None:
    opened = asyncio.Event()

    async def work(value: int) -> int:
        await opened.wait()
        if value < 0:
            raise InvalidInput("negative", [{"pointer": "", "detail": "negative"}])
        return value

    thing = expose(worker(), work=work)
    good, bad = thing.start_action("work", 1), thing.start_action("work", -1)
    waiting = [asyncio.create_task(i.result()) for i in (good, bad) for _ in range(3)]
    await asyncio.sleep(0)
    assert good.status is Status.RUNNING
    opened.set()
    results: list[Any] = await asyncio.gather(*waiting, return_exceptions=True)
    late = await asyncio.gather(good.result(), bad.result(), return_exceptions=True)
    assert [*results[:3], late[0]] == [1, 1, 1, 1]
    errors = [*results[3:], late[1]]
    assert {type(error) for error in errors} == {InvalidInput}
    assert len({id(error) for error in errors}) == 4  # a traceback each
    assert {error.detail for error in errors} == {"negative"}
    assert {error.faults[0]["detail"] for error in errors} == {"negative"}
    assert good.ended_at is not None


class Load:
    """Something of weight that a handler holds."""


@pytest.mark.parametrize("cause", [ValueError, InvalidInput, asyncio.CancelledError])
async def test_a_failed_record_keeps_nothing_of_its_call_alive(
    expose: Expose,
    servient: Servient,
    cause: type[BaseException],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL)  # pytest keeps what is logged, with its traceback
    alive: list[weakref.ref[Any]] = []

    async def fail_and_go() -> None:
        load = Load()
        thing = expose(worker(), work=work)
        alive.extend((weakref.ref(load), weakref.ref(thing)))
        with pytest.raises(ServientError):
            await thing.invoke_action("work")
        thing.destroy()

    async def work(_: Any) -> None:
        load = Load()
        alive.append(weakref.ref(load))
        try:
            raise KeyError("first")
        except KeyError as error:
            raise cause("second") from error

    await fail_and_go()
    await asyncio.sleep(0)
    gc.collect()
    [invocation] = servient.invocations
    assert isinstance(invocation.error, ServientError)
    assert [ref() for ref in alive] == [None, None, None]


async def test_shutting_down_ends_what_runs_with_a_record() -> None:
    servient = Servient()
    await servient.start()
    thing = WoT(servient).produce(worker())
    cleaned: list[str] = []
    entered = asyncio.Event()

    async def work(_: Any) -> None:
        try:
            entered.set()
            await asyncio.Event().wait()
        finally:
            cleaned.append("cleaned")

    thing.set_action_handler("work", work)
    running = thing.start_action("work")
    waiting = asyncio.create_task(running.result())
    await entered.wait()
    not_begun = thing.start_action("work")
    await servient.shutdown()
    assert cleaned == ["cleaned"]
    for invocation in (running, not_begun):
        assert invocation.status is Status.FAILED
        with pytest.raises(ActionFailed, match="cancelled"):
            await invocation.result()
    with pytest.raises(ActionFailed):
        await waiting
    assert not servient.invocations._running
    assert not servient._tasks


async def test_a_handler_that_will_not_end_does_not_keep_the_servient(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("servient.wot.servient.SHUTDOWN_SECONDS", 0.05)
    servient = Servient()
    await servient.start()
    thing = WoT(servient).produce(worker())
    entered, opened = asyncio.Event(), asyncio.Event()

    async def stubborn(_: Any) -> str:
        while not opened.is_set():
            try:
                entered.set()
                await opened.wait()
            except asyncio.CancelledError:
                continue
        return "at last"

    thing.set_action_handler("work", stubborn)
    invocation = thing.start_action("work")
    await entered.wait()
    await servient.shutdown()
    assert invocation.id in caplog.text
    opened.set()
    assert await invocation.result() == "at last"


async def test_a_handler_may_shut_its_servient_down() -> None:
    servient = Servient()
    await servient.start()
    thing = WoT(servient).produce(worker())

    async def work(_: Any) -> str:
        await servient.shutdown()
        return "down"

    thing.set_action_handler("work", work)
    assert await asyncio.wait_for(thing.invoke_action("work"), 20) == "down"
    assert not servient.is_running

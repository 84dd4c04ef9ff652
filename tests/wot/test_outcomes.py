"""An action's outcome is published once, as its definition says, and then it is answered."""

import asyncio
import math
from collections.abc import Callable
from typing import Any

import pytest

from servient.errors import (
    ActionFailed,
    Busy,
    DeadlineExceeded,
    ModuleTrapped,
    NotFound,
    ServientError,
)
from servient.wot.content import Content
from servient.wot.entry import WoT
from servient.wot.invocation import Status
from servient.wot.invocations import Bounds, Invocations
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing, Outcome
from tests.wot.documents import action, td, worker
from tests.wot.listening import Heard

Expose = Callable[..., ExposedThing]
PATIENCE_SECONDS = 20.0


class Gate:
    """A handler that waits to be opened."""

    def __init__(self, output: Any = 1) -> None:
        self.entered = asyncio.Event()
        self.opened = asyncio.Event()
        self.output = output

    async def __call__(self, _: Any) -> Any:
        self.entered.set()
        await self.opened.wait()
        return self.output


async def test_an_output_is_published_once_and_then_answered(
    expose: Expose, servient: Servient
) -> None:
    thing = expose(worker(), work=lambda value: value + 1)
    heard = Heard(thing)
    invocation = thing.start_action("work", 1)
    assert await invocation.result() == 2
    assert heard.all() == [
        ("work_result", 2),
        ("work_completed", {"invocation": invocation.id, "output": 2}),
    ]
    assert await thing.read_property("work_result") == 2
    assert (invocation.status, invocation.output, invocation.error) == (Status.COMPLETED, 2, None)
    assert invocation.ended_at is not None
    assert invocation.ended_at >= invocation.requested_at
    assert await invocation.result() == 2
    assert servient.invocations.find(invocation.id) is invocation
    assert len(heard.all()) == 2


async def test_who_has_the_answer_finds_it_published(expose: Expose, servient: Servient) -> None:
    """Whatever is woken first, the property has changed by then and nothing is over before."""
    thing = expose(worker(), work=lambda value: value)
    seen: list[Any] = []

    def look(_: Any) -> None:
        *_, invocation = servient.invocations
        seen.append((thing.value_of("work_result"), invocation.is_over))

    thing.publisher.listen(look)
    for number in (1, 2):
        invocation = thing.start_action("work", number)
        assert await invocation.result() == number
        assert thing.value_of("work_result") == number
    assert seen == [(1, False), (1, False), (2, False), (2, False)]


async def test_a_failure_is_published_once_and_then_raised(expose: Expose) -> None:
    def fail(_: Any) -> None:
        raise ModuleTrapped("unreachable executed")

    thing = expose(worker(), work=fail)
    thing.set_property("work_result", 5)
    heard = Heard(thing)
    invocation = thing.start_action("work")
    for _ in range(2):
        with pytest.raises(ModuleTrapped, match="unreachable executed"):
            await invocation.result()
    assert [name for name, _ in heard.all()] == ["work_failed"]
    [problem] = heard.events("work_failed")
    assert (problem["type"], problem["status"]) == ("urn:wasm-servient:problem:module-trapped", 500)
    assert problem["instance"] == invocation.id
    assert invocation.status is Status.FAILED
    assert await thing.read_property("work_result") == 5


async def test_an_action_without_terms_publishes_nothing(expose: Expose) -> None:
    def work(value: Any) -> Any:
        if value is None:
            raise ValueError("no value")
        return value

    thing = expose(td(actions={"work": {}}), work=work)
    heard = Heard(thing)
    assert await thing.invoke_action("work", 1) == 1
    with pytest.raises(ActionFailed):
        await thing.invoke_action("work")
    assert not heard.all()


async def test_terms_that_lead_nowhere_harm_nothing(expose: Expose) -> None:
    def work(value: int) -> int:
        return 1 // value

    thing = expose(td(actions={"work": action("nowhere")}), work=work)
    heard = Heard(thing)
    assert await thing.invoke_action("work", 1) == 1
    with pytest.raises(ActionFailed, match="division"):
        await thing.invoke_action("work", 0)
    assert not heard.all()


async def test_no_output_leaves_the_result_as_it_was(expose: Expose) -> None:
    thing = expose(worker(), work=lambda value: value)
    await thing.invoke_action("work", 7)
    heard = Heard(thing)
    assert await thing.invoke_action("work") is None
    assert [name for name, _ in heard.all()] == ["work_completed"]
    assert "output" not in heard.events("work_completed")[0]
    outputs: list[Any] = [0, False, "", [], {}]
    for falsy in outputs:
        assert await thing.invoke_action("work", falsy) == falsy
        assert await thing.read_property("work_result") == falsy


async def test_a_file_is_kept_in_the_property_and_not_repeated(expose: Expose) -> None:
    image = Content(b"\x89PNG", "image/png")
    thing = expose(worker(), work=lambda _: image)
    heard = Heard(thing)
    assert await thing.invoke_action("work") is image
    assert heard.changes("work_result") == [image]
    assert "output" not in heard.events("work_completed")[0]


async def test_an_outcome_says_what_else_is_published(expose: Expose) -> None:
    document = worker()
    document["properties"]["count"] = {"type": "integer", "observable": True}
    document["events"]["counted"] = {"data": {}}
    outcome = Outcome(3, properties={"count": 1}, events={"counted": "once"})
    thing = expose(document, work=lambda _: outcome)
    heard = Heard(thing)
    invocation = thing.start_action("work")
    assert await invocation.result() == 3
    assert heard.all() == [
        ("work_result", 3),
        ("count", 1),
        ("counted", "once"),
        ("work_completed", {"invocation": invocation.id, "output": 3}),
    ]


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(3, properties={"unknown": 1}),
        Outcome(3, events={"unknown": 1}),
        Outcome(3, properties={"work_completed": 1}),
        Outcome(3, properties={"work_result": {1, 2}}),
        Outcome(3, events={"work_completed": math.nan}),
        Outcome(math.inf),
        math.nan,
        {1, 2},
        b"bytes",
        object(),
        10**5_000,
        {"deep": [math.nan]},
        {(1, 2): 3},
    ],
    ids=lambda outcome: type(outcome).__name__,
)
async def test_what_cannot_be_published_is_a_failure_and_nothing_is(
    expose: Expose, outcome: Any
) -> None:
    thing = expose(worker(), work=lambda _: outcome)
    heard = Heard(thing)
    with pytest.raises(ActionFailed) as failed:
        await asyncio.wait_for(thing.invoke_action("work"), PATIENCE_SECONDS)
    assert failed.value.status == 500
    assert len(failed.value.detail) < 300
    assert [name for name, _ in heard.all()] == ["work_failed"]
    assert thing.value_of("work_result") is None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("too few"), "too few"),
        (KeyError("key"), "key"),
        (TimeoutError("the sensor did not answer"), "the sensor did not answer"),
        (asyncio.CancelledError("inside"), "cancelled"),
        (RecursionError("deep"), "deep"),
        (ExceptionGroup("several", [ValueError("one")]), "several"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "utf-8"),
        (ValueError("x" * 1_000_000), "xxx"),
        (ValueError("\ud800"), "failed"),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_whatever_a_handler_raises_is_the_actions_failure(
    expose: Expose, servient: Servient, error: BaseException, said: str
) -> None:
    async def fail(_: Any) -> None:
        raise error

    def fail_at_once(_: Any) -> None:
        raise error

    thing = expose(worker(), work=fail)
    for handler in (fail, fail_at_once):
        thing.set_action_handler("work", handler)
        heard = Heard(thing)
        with pytest.raises(ActionFailed, match=said) as failed:
            await asyncio.wait_for(thing.invoke_action("work"), PATIENCE_SECONDS)
        assert len(failed.value.detail) < 1_000
        assert [name for name, _ in heard.all()] == ["work_failed"]
        heard.forget()
    assert not servient.invocations._running


def test_a_handler_that_exits_the_program_leaves_a_failed_record() -> None:
    servient = Servient()

    async def main() -> None:
        thing = WoT(await started()).produce(worker())

        def leave(_: Any) -> None:
            raise SystemExit(3)

        thing.set_action_handler("work", leave)
        await thing.invoke_action("work")

    async def started() -> Servient:
        await servient.start()
        return servient

    with pytest.raises(SystemExit) as left:
        asyncio.run(main())
    assert left.value.code == 3
    [invocation] = servient.invocations
    assert invocation.status is Status.FAILED


# What happens meanwhile


async def test_the_action_is_removed_while_it_runs(expose: Expose, servient: Servient) -> None:
    gate = Gate(output=5)
    thing = expose(worker(), work=gate)
    heard = Heard(thing)
    invocation = thing.start_action("work")
    await gate.entered.wait()
    thing.remove_action("work")
    gate.opened.set()
    assert await asyncio.wait_for(invocation.result(), PATIENCE_SECONDS) == 5
    assert [name for name, _ in heard.all()] == ["work_result", "work_completed"]
    assert not servient.invocations._running
    with pytest.raises(NotFound):
        thing.start_action("work")


async def test_the_action_is_removed_before_it_began(expose: Expose) -> None:
    thing = expose(worker(), work=lambda value: value)
    invocation = thing.start_action("work", 6)
    thing.remove_action("work")
    assert await asyncio.wait_for(invocation.result(), PATIENCE_SECONDS) == 6


@pytest.mark.parametrize("output", [5, math.nan], ids=["completed", "failed"])
async def test_what_it_publishes_to_is_removed_while_it_runs(expose: Expose, output: float) -> None:
    gate = Gate(output)
    thing = expose(worker(), work=gate)
    heard = Heard(thing)
    invocation = thing.start_action("work")
    await gate.entered.wait()
    thing.remove_property("work_result")
    thing.remove_event("work_completed")
    thing.remove_event("work_failed")
    gate.opened.set()
    async with asyncio.timeout(PATIENCE_SECONDS):
        if output == 5:
            assert await invocation.result() == 5
        else:
            with pytest.raises(ActionFailed):
                await invocation.result()
    assert not heard.all()
    thing.add_property("work_result", {"type": "integer"})
    assert await thing.read_property("work_result") is None


async def test_the_thing_is_destroyed_while_it_runs(expose: Expose, servient: Servient) -> None:
    gate = Gate(output=5)
    old = expose(worker(), "worker", work=gate)
    async with old.publisher.subscribe(*_result_of(old)) as ended:
        invocation = old.start_action("work")
        await gate.entered.wait()
        old.destroy()
        new = expose(worker(), "worker", work=lambda value: value)
        heard = Heard(new)
        gate.opened.set()
        assert await asyncio.wait_for(invocation.result(), PATIENCE_SECONDS) == 5
        assert [notification async for notification in ended] == []
    assert not heard.all()
    assert new.value_of("work_result") is None
    assert servient.invocations.find(invocation.id).output == 5


def _result_of(thing: ExposedThing) -> Any:
    [result] = [a for a in thing.description if a.name == "work_result"]
    return result.kind, result.name


async def test_a_handler_may_destroy_its_own_thing(expose: Expose) -> None:
    async def work(_: Any) -> str:
        thing.destroy()
        return "gone"

    thing = expose(worker(), work=work)
    assert await asyncio.wait_for(thing.invoke_action("work"), PATIENCE_SECONDS) == "gone"


async def test_a_handler_may_invoke_its_own_thing(expose: Expose) -> None:
    async def work(value: int) -> int:
        return value if value == 0 else 1 + await thing.invoke_action("work", value - 1)

    thing = expose(worker(), work=work)
    heard = Heard(thing)
    assert await asyncio.wait_for(thing.invoke_action("work", 5), PATIENCE_SECONDS) == 5
    assert heard.changes("work_result") == [0, 1, 2, 3, 4, 5]


async def test_listeners_that_raise_harm_nobody(
    expose: Expose, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither one of ours nor one of WoTPy's."""

    def fail(_: Any) -> None:
        raise ValueError("a listener's fault")

    thing = expose(worker(), work=lambda value: value)
    told: list[Any] = []
    thing.publisher.listen(fail)
    thing.properties["work_result"].subscribe(on_next=fail)
    thing.properties["work_result"].subscribe(on_next=lambda item: told.append(item.data.value))
    thing.events["work_completed"].subscribe(on_next=fail)
    heard = Heard(thing)
    for number in (1, 2):
        assert await asyncio.wait_for(thing.invoke_action("work", number), PATIENCE_SECONDS)
    assert told == [1, 2]
    assert heard.changes("work_result") == [1, 2]
    assert len(heard.events("work_completed")) == 2
    assert "a listener's fault" in caplog.text
    thing.on_td_change().subscribe(fail)
    thing.add_event("more", {})
    await thing.write_property("work_result", 3)
    assert told == [1, 2, 3]


async def test_who_stops_waiting_does_not_stop_it(expose: Expose) -> None:
    gate = Gate(output=5)
    thing = expose(worker(), work=gate)
    heard = Heard(thing)
    waiting = asyncio.create_task(thing.invoke_action("work"))
    await gate.entered.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not heard.all()
    gate.opened.set()
    [invocation] = thing.servient.invocations
    assert await invocation.result() == 5
    assert [name for name, _ in heard.all()] == ["work_result", "work_completed"]


# Limits


async def test_a_deadline_is_a_failure_and_stops_the_handler(
    expose: Expose, servient: Servient
) -> None:
    servient.invocation_deadline_seconds = 0.01
    stopped: list[str] = []

    async def work(_: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append("stopped")

    thing = expose(worker(), work=work)
    heard = Heard(thing)
    with pytest.raises(DeadlineExceeded, match=r"'work' did not end within 0\.01 s") as late:
        await thing.invoke_action("work")
    assert late.value.status == 504
    assert stopped == ["stopped"]
    assert [problem["status"] for problem in heard.events("work_failed")] == [504]


async def test_a_handlers_own_timeout_is_not_the_deadline(expose: Expose) -> None:
    async def work(_: Any) -> None:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    thing = expose(worker(), work=work)
    with pytest.raises(ActionFailed) as failed:
        await thing.invoke_action("work")
    assert not isinstance(failed.value, DeadlineExceeded)


async def test_too_many_at_once_are_refused_and_leave_no_record() -> None:
    servient = Servient(invocations=Invocations(Bounds(running=2)))
    await servient.start()
    gate = Gate(output=5)
    thing = WoT(servient).produce(worker())
    thing.set_action_handler("work", gate)
    running = [thing.start_action("work") for _ in range(2)]
    with pytest.raises(Busy) as busy:
        thing.start_action("work")
    assert busy.value.status == 503
    assert len(servient.invocations) == 2
    gate.opened.set()
    assert [await invocation.result() for invocation in running] == [5, 5]
    assert await thing.invoke_action("work") == 5
    await servient.shutdown()


async def test_failures_make_room_again(expose: Expose, servient: Servient) -> None:
    def fail(_: Any) -> Any:
        return Outcome(events={"unknown": 1})

    thing = expose(worker(), work=fail)
    servient.invocations = Invocations(Bounds(running=3))
    for _ in range(10):
        with pytest.raises(ServientError, match="unknown"):
            await thing.invoke_action("work")
    assert not servient.invocations._running

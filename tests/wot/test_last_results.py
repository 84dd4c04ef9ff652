"""The last results of actions outlive the history, within bounds."""

from collections.abc import Iterable
from functools import partial

import pytest

from servient.errors import ActionFailed
from servient.wot.content import Content
from servient.wot.invocation import Invocation
from servient.wot.invocations import Bounds, Invocations
from servient.wot.last_results import LastResults
from servient.wot.record import Kept, Record, Recorded, Status
from servient.wot.stored_file import StoredFile


class Shelf:
    """A recorder with records of a hundred bytes; it notes what it is to forget."""

    def __init__(self) -> None:
        self.records: dict[int, Record] = {}

    def record(self, record: Record, done: Recorded) -> None:
        self.records[record.number] = record
        done(Kept(record, 100))

    def forget(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            del self.records[number]

    async def load(self, file: StoredFile) -> Content:
        raise AssertionError


def invoke(invocations: Invocations, thing: str, value: int | None = 1, action: str = "f") -> str:
    """Without a value it fails."""
    invocation = invocations.open(thing, action, None)
    if value is None:
        invocation.fail(ActionFailed("it does not"))
    else:
        invocation.complete(value)
    invocations.close(invocation)
    return invocation.id


def held(invocations: Invocations) -> list[tuple[str, object]]:
    shown = set(invocations)
    return [(each.thing, each.output) for each in invocations.results() if each not in shown]


async def test_the_last_result_of_each_action_is_kept_when_the_history_is_past_it() -> None:
    shelf = Shelf()
    invocations = Invocations(Bounds(history=2), shelf)
    for value in range(3):
        invoke(invocations, "a", value)
    invoke(invocations, "b", 10)
    for _ in range(5):
        invoke(invocations, "c", None)
    assert held(invocations) == [("a", 2), ("b", 10)]
    assert sorted(shelf.records) == [2, 3, 7, 8]
    kept = [Kept(record, 100) for _, record in sorted(shelf.records.items())]
    restarted = Invocations(Bounds(history=2), shelf, kept, 9)
    assert held(restarted) == [("a", 2), ("b", 10)]
    invoke(restarted, "a", 3)
    assert held(restarted) == [("b", 10)]
    assert 2 not in shelf.records


async def test_without_a_recorder_nothing_is_held() -> None:
    invocations = Invocations(Bounds(history=1))
    invoke(invocations, "a")
    invoke(invocations, "b")
    assert held(invocations) == []


async def test_results_of_what_is_gone_are_forgotten() -> None:
    shelf = Shelf()
    invocations = Invocations(Bounds(history=1), shelf)
    for thing in "abc":
        invoke(invocations, thing)
    invocations.forget_results(lambda each: each.thing in "ac")
    assert held(invocations) == [("b", 1)]
    assert sorted(shelf.records) == [1, 2]  # one is in the history
    invoke(invocations, "d")
    assert held(invocations) == [("b", 1)]
    assert sorted(shelf.records) == [1, 3]


def _completed(number: int) -> Invocation:
    """Of a Thing of its own, with a hundred bytes of text and of files."""
    record = Record(
        number, f"t{number}", "f", None, {}, 0.0, Status.COMPLETED, ended_at_seconds=1.0
    )
    return Invocation.restored(Kept(record, 100, 100), None)


@pytest.mark.parametrize(
    "make",
    [
        partial(LastResults, 250, 10**6),
        partial(LastResults, 10**6, 250),
        partial(LastResults, 10**6, 10**6, 2),
    ],
)
def test_they_are_bounded(make: partial[LastResults]) -> None:
    last = make()
    every = [_completed(number) for number in range(5)]
    for each in every:
        assert last.completed(each) == []
    gone = [old for each in every for old in last.hold(each)]
    assert gone == every[:3]
    assert list(last) == every[3:]
    assert last.forget(lambda _: True) == every[3:]
    assert not last._newest
    assert not last._text_bytes
    assert not last._files_bytes

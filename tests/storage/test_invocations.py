"""Records of invocations: what goes in comes out, bounded, and never half."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from servient.errors import (
    ActionFailed,
    DeadlineExceeded,
    InvalidInput,
    ServientError,
    StorageFailed,
)
from servient.storage.store import Store
from servient.wot.content import Content
from servient.wot.invocations import Bounds, Invocations
from servient.wot.record import Kept, Record, Status
from servient.wot.stored_file import StoredFile
from tests.storage.conftest import keep, record

DAY_SECONDS = 24 * 3600.0
PICTURE = Content(b"\x89PNG", "image/png")


async def restored(folder: Path) -> list[Record]:
    async with Store(folder) as store:
        kept, _ = await store.invocations.restore()
        return [each.record for each in kept]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"output": 0},
        {"output": False},
        {"output": {}},
        {"output": [], "input": []},
        {"output": "\ud800 \0 ü"},
        {"output": [1.5, None, {"a": {"b": []}}]},
        {"output": None, "input": None},
        {"input": {"$file": "x", "digest": None, "": 1}},
        {"output": 10**400},
        {"context": {"method": "POST"}, "notes": {"stdout": "hello\n"}},
    ],
    ids=repr,
)
async def test_values_come_back_as_they_were(tmp_path: Path, changes: dict[str, Any]) -> None:
    original = record(**changes)
    async with Store(tmp_path) as store:
        [kept] = await keep(store, original)
        assert isinstance(kept, Kept)
        assert kept.record is original
    assert await restored(tmp_path) == [original]


async def test_errors_come_back_as_they_were(tmp_path: Path) -> None:
    fault = {"pointer": "/n", "detail": "too small"}
    errors: list[ServientError] = [
        InvalidInput("n is too small", [fault]),
        DeadlineExceeded("late"),
    ]
    records = [
        record(number, status=Status.FAILED, output=None, error=error)
        for number, error in enumerate(errors)
    ]
    async with Store(tmp_path) as store:
        await keep(store, *records)
    back = [each.error for each in await restored(tmp_path)]
    assert [(type(each), str(each), each and each.faults) for each in back] == [
        (InvalidInput, "n is too small", (fault,)),
        (DeadlineExceeded, "late", ()),
    ]


async def test_files_are_kept_apart_from_memory(tmp_path: Path) -> None:
    nested = {"image.png": PICTURE, "more": [1, {"a": Content(b"text", "text/plain")}], "b": "n"}
    original = record(input=nested, output=PICTURE, files={"a/b~0": PICTURE})
    async with Store(tmp_path) as store:
        [kept] = await keep(store, original)
        assert isinstance(kept, Kept)
        slim = kept.record
        assert slim.output == slim.files["a/b~0"] == slim.input["image.png"]
        assert slim.output == StoredFile(slim.output.digest, 4, "image/png")
        assert slim.input["more"][1]["a"].media_type == "text/plain"
        assert slim.input["b"] == "n"
        assert await store.invocations.load(slim.output) == PICTURE
        assert kept.files_bytes == 8  # each once
    assert await restored(tmp_path) == [slim]
    assert len(list((tmp_path / "files").iterdir())) == 2


async def test_files_go_with_the_last_record_that_has_them(tmp_path: Path, store: Store) -> None:
    unique = Content(b"unique", "text/plain")
    await keep(store, record(1, output=PICTURE, input=unique), record(2, output=PICTURE))
    store.invocations.forget([1])
    await store.invocations.flush()
    await keep(store, record(3))  # after the collection
    assert [file.read_bytes() for file in (tmp_path / "files").iterdir()] == [PICTURE.body]
    store.invocations.forget([2])
    await store.invocations.flush()
    await keep(store, record(4))
    assert not list((tmp_path / "files").iterdir())


async def test_a_record_may_be_written_anew(tmp_path: Path) -> None:
    running = record(status=Status.RUNNING, output=None, ended_at_seconds=None, input=PICTURE)
    async with Store(tmp_path) as store:
        await keep(store, running, record(input=PICTURE))
    [back] = await restored(tmp_path)
    assert back.status is Status.COMPLETED
    assert back.output == 21


async def test_what_had_not_ended_has_failed(tmp_path: Path) -> None:
    running = record(status=Status.RUNNING, output=None, ended_at_seconds=None, input=PICTURE)
    async with Store(tmp_path) as store:
        await keep(store, record(2), running)
    for _ in range(2):
        done, interrupted = await restored(tmp_path)
        assert done.number == 2
        assert interrupted.status is Status.FAILED
        assert isinstance(interrupted.error, ActionFailed)
        assert interrupted.error.detail == "the servient stopped before action 'f' ended"
        assert isinstance(interrupted.input, StoredFile)
        assert interrupted.ended_at_seconds


async def test_what_json_has_no_word_for_is_left_out(tmp_path: Path) -> None:
    endless: list[Any] = []
    endless.append(endless)
    odd: list[Any] = [object(), {1, 2}, {(1, 2): 3}, endless]
    async with Store(tmp_path) as store:
        kept = await keep(store, *(record(n, input=each) for n, each in enumerate(odd)))
        assert all(isinstance(each, Kept) for each in kept)
    assert len(await restored(tmp_path)) == len(odd)


async def test_numbers_are_not_given_out_twice(tmp_path: Path) -> None:
    given: set[int] = set()
    for _ in range(4):
        async with Store(tmp_path) as store:
            kept, number = await store.invocations.restore()
            invocations = Invocations(Bounds(history=1), store.invocations, kept, number)
            for _ in range(3):
                invocation = invocations.open("d:m", "f", None)
                assert int(invocation.number) not in given
                given.add(int(invocation.number))
                invocation.complete(1)
                invocations.close(invocation)
            await invocation.result()
            store.invocations.forget(given)  # also when no row is left


async def test_an_outcome_is_seen_when_it_is_kept(store: Store) -> None:
    invocations = Invocations(recorder=store.invocations)
    invocation = invocations.open("d:m", "f", {"image": PICTURE})
    await invocation.recorded()
    invocation.complete(PICTURE, {"a": PICTURE})
    invocations.close(invocation)
    assert (invocation.is_decided, invocation.is_over, invocation.output) == (True, False, None)
    assert await invocation.result() is PICTURE  # it is in memory still
    assert isinstance(invocation.output, StoredFile)
    assert isinstance(invocation.input["image"], StoredFile)
    assert await invocation.result() == PICTURE
    assert await invocations.load(invocation.files) == {"a": PICTURE}


@pytest.mark.parametrize("bound", ["history", "text_bytes", "files_bytes", "age_seconds"])
async def test_the_history_is_bounded(tmp_path: Path, bound: str) -> None:
    limits = {"history": 3, "text_bytes": 3300, "files_bytes": 3300, "age_seconds": 3600.0}
    bounds = Bounds(**{bound: limits[bound]})  # type: ignore[arg-type] # one of several types
    async with Store(tmp_path) as store:
        invocations = Invocations(bounds, store.invocations)
        for number in range(100):
            invocation = invocations.open("d:m", "f", "x" * 900)
            if bound == "age_seconds" and number < 97:
                invocation.requested_at_seconds = time.time() - DAY_SECONDS
            invocation.complete(Content(bytes([number]) * 1000, "image/png"))
            if bound == "age_seconds" and number < 97:
                _age(invocation)
            invocations.close(invocation)
            await invocation.result()
        assert [int(each.number) for each in invocations] == [97, 98, 99]
    assert [each.number for each in await restored(tmp_path)] == [97, 98, 99]
    assert len(list((tmp_path / "files").iterdir())) == 3


def _age(invocation: Any) -> None:
    aged = time.time() - DAY_SECONDS
    invocation._outcome = invocation._outcome._replace(ended_at_seconds=aged)


async def test_what_cannot_be_kept_is_a_failure_and_the_rest_goes_on(
    tmp_path: Path, store: Store
) -> None:
    invocations = Invocations(recorder=store.invocations)
    (tmp_path / "files").rmdir()

    async def run(output: Any) -> Any:
        invocation = invocations.open("d:m", "f", None)
        invocation.complete(output)
        invocations.close(invocation)
        return await invocation.result()

    answers = await asyncio.gather(run(1), run(PICTURE), run(2), return_exceptions=True)
    assert [answers[0], answers[2]] == [1, 2]
    assert isinstance(answers[1], StorageFailed)
    assert "a file cannot be kept" in answers[1].detail
    by_number = sorted(invocations, key=lambda each: int(each.number))
    assert [each.status for each in by_number] == ["completed", "failed", "completed"]

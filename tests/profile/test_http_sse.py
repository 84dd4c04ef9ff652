"""The HTTP SSE Profile (WoT Profile, section 7)."""

import json

import pytest

from servient.bindings.http.profiles import HTTP_SSE
from servient.wot.schema import DataSchema
from tests.profile.assertions import SSE, asserts
from tests.profile.consumer import invoke, stream_of, streaming
from tests.profile.things import PICTURE, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


@asserts("http-sse-profile-1", "http-sse-profile-identifier-1")
async def test_it_is_claimed(stage: Stage) -> None:
    """The common constraints are in test_common."""
    assert all(HTTP_SSE in td["profile"] for td in stage.tds.values())


@asserts(
    "http-sse-profile-protocol-binding-1",
    SSE + "observeproperty-1",
    SSE + "observeallproperties-1",
    SSE + "subscribeevent-1",
    SSE + "subscribeallevents-1",
)
async def test_all_that_notifies_has_forms_for_streams(stage: Stage) -> None:
    for td in stage.tds.values():
        for name, definition in td["properties"].items():
            if definition.get("observable"):
                assert stream_of(td, "observeproperty", "properties", name)
        for name in td["events"]:
            assert stream_of(td, "subscribeevent", "events", name)
        assert stream_of(td, "observeallproperties")
        assert stream_of(td, "subscribeallevents")


@asserts(
    SSE + "observeproperty-4",
    SSE + "observeproperty-5a",
    SSE + "observeproperty-5b",
    SSE + "observeproperty-5c",
)
async def test_each_change_of_a_property_is_a_message(stage: Stage) -> None:
    kiln = stage.td("Kiln")
    for name, values in (
        ("target", [1, 1, 2]),
        ("programme", ["a\n\u2028b", None]),
        ("picture", [PICTURE]),
    ):
        url = stream_of(kiln, "observeproperty", "properties", name)
        async with streaming(stage.http, url) as stream:
            assert stream.response.status_code == 200
            assert stream.response.headers["content-type"] == "text/event-stream"
            for value in values:
                stage.kiln.set_property(name, value)
            messages = [await stream.next() for _ in values]
        assert {message["event"] for message in messages} == {name}
        assert len({message["id"] for message in messages}) == len(values)
        got = [json.loads(message["data"]) for message in messages]
        assert got == ["iVBORw0K" if value is PICTURE else value for value in values]
        for value in got:
            DataSchema(kiln["properties"][name]).accept(value)


@asserts(
    SSE + "observeallproperties-4",
    SSE + "observeallproperties-5a",
    SSE + "observeallproperties-5b",
    SSE + "observeallproperties-5c",
    SSE + "observeallproperties-5d",
)
async def test_each_change_of_any_property_is_a_message(stage: Stage) -> None:
    async with streaming(stage.http, stream_of(stage.td("Kiln"), "observeallproperties")) as stream:
        assert stream.response.status_code == 200
        assert stream.response.headers["content-type"] == "text/event-stream"
        stage.kiln.set_property("target", 5)
        stage.kiln.set_property("picture", PICTURE)
        messages = [await stream.next(), await stream.next()]
    assert [(each["event"], json.loads(each["data"])) for each in messages] == [
        ("target", 5),
        ("picture", "iVBORw0K"),
    ]
    assert messages[0]["id"] != messages[1]["id"]


@asserts(
    SSE + "subscribeevent-5",
    SSE + "subscribeevent-6a",
    SSE + "subscribeevent-6b",
    SSE + "subscribeevent-6c",
    SSE + "subscribeevent-6d",
)
async def test_each_event_is_a_message(stage: Stage) -> None:
    for name, values in (("overheated", [1300.5, 1301]), ("opened", [None])):
        url = stream_of(stage.td("Kiln"), "subscribeevent", "events", name)
        async with streaming(stage.http, url) as stream:
            assert stream.response.status_code == 200
            assert stream.response.headers["content-type"] == "text/event-stream"
            for value in values:
                stage.kiln.emit_event(name, value)
            messages = [await stream.next() for _ in values]
        assert {message["event"] for message in messages} == {name}
        assert [json.loads(message["data"]) for message in messages] == values
        assert len({message["id"] for message in messages}) == len(values)


async def test_a_module_notifies_as_its_description_says(stage: Stage) -> None:
    td = stage.fibonacci
    result = stream_of(td, "observeproperty", "properties", "fibo_result")
    events = stream_of(td, "subscribeallevents")
    async with (
        streaming(stage.http, result) as results,
        streaming(stage.http, events) as completions,
    ):
        await invoke(stage.http, td, "fibo", {"iterations": 7})
        assert json.loads((await results.next())["data"]) == 21
        completed = await completions.next()
    assert completed["event"] == "fibo_completed"
    data = json.loads(completed["data"])
    DataSchema(td["events"]["fibo_completed"]["data"]).accept(data)
    assert data["output"] == 21


@asserts(
    SSE + "subscribeallevents-3",
    SSE + "subscribeallevents-4a",
    SSE + "subscribeallevents-4b",
    SSE + "subscribeallevents-4c",
    SSE + "subscribeallevents-4d",
)
async def test_each_event_of_any_kind_is_a_message(stage: Stage) -> None:
    async with streaming(stage.http, stream_of(stage.td("Kiln"), "subscribeallevents")) as stream:
        assert stream.response.status_code == 200
        assert stream.response.headers["content-type"] == "text/event-stream"
        stage.kiln.emit_event("opened", None)
        stage.kiln.emit_event("overheated", 1400)
        messages = [await stream.next(), await stream.next()]
    assert [(each["event"], each["data"]) for each in messages] == [
        ("opened", "null"),
        ("overheated", "1400"),
    ]
    assert messages[0]["id"] != messages[1]["id"]


@pytest.mark.parametrize(
    "place", [("observeproperty", "properties", "target"), ("observeallproperties",)]
)
@asserts(SSE + "observeproperty-6b", SSE + "observeallproperties-6b")
async def test_missed_changes_are_sent_again(stage: Stage, place: tuple[str, ...]) -> None:
    url = stream_of(stage.td("Kiln"), *place)
    async with streaming(stage.http, url) as stream:
        stage.kiln.set_property("target", 1)
        last = (await stream.next())["id"]
    stage.kiln.set_property("target", 2)
    async with streaming(stage.http, url, last) as stream:
        stage.kiln.set_property("target", 3)
        assert [(await stream.next())["data"] for _ in range(2)] == ["2", "3"]


@pytest.mark.parametrize(
    "place", [("subscribeevent", "events", "overheated"), ("subscribeallevents",)]
)
@asserts(SSE + "subscribeevent-7b", SSE + "subscribeallevents-5b")
async def test_missed_events_are_sent_again(stage: Stage, place: tuple[str, ...]) -> None:
    url = stream_of(stage.td("Kiln"), *place)
    async with streaming(stage.http, url) as stream:
        stage.kiln.emit_event("overheated", 1)
        last = (await stream.next())["id"]
    stage.kiln.emit_event("overheated", 2)
    async with streaming(stage.http, url, last) as stream:
        stage.kiln.emit_event("overheated", 3)
        assert [(await stream.next())["data"] for _ in range(2)] == ["2", "3"]

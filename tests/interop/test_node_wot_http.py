"""node-wot consumes our Things over HTTP."""

import base64
from collections.abc import AsyncIterator

import pytest

from servient.bindings.http.binding import HttpBinding
from servient.wot.content import Content
from tests.interop.node_wot import (
    Answer,
    Step,
    consume,
    consuming,
    invoke,
    observe,
    read,
    stop,
    subscribe,
    values,
    write,
)
from tests.interop.serving import Lamp, serving

IMAGE = bytes(range(256))
INVERTED = bytes(255 - byte for byte in IMAGE)


def to_text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture
async def lamp() -> AsyncIterator[Lamp]:
    async with serving(HttpBinding("127.0.0.1", "127.0.0.1", 0)) as lamp:
        yield lamp


async def told(lamp: Lamp, *steps: Step) -> list[Answer]:
    return await consume("http", lamp.td, *steps)


async def test_reads_writes_and_invokes(lamp: Lamp) -> None:
    assert await told(
        lamp,
        read("level"),
        write("level", 42),
        read("level"),
        read("serial"),
        invoke("double", {"number": 21}),
        read("double_result"),
        invoke("echo", {"error": "is only a member", "deep": [{"id": None}]}),
        invoke("toggle"),
    ) == [
        {"ok": 3},
        {"ok": None},
        {"ok": 42},
        {"ok": "4711"},
        {"ok": 42},
        {"ok": 42},
        {"ok": {"error": "is only a member", "deep": [{"id": None}]}},
        {"ok": None},
    ]


async def test_fetches_the_td_by_itself(lamp: Lamp) -> None:
    url = lamp.href("properties", "level").partition("/properties/")[0]
    assert await consume("http", url, read("level")) == [{"ok": 3}]


async def test_sends_and_gets_files(lamp: Lamp) -> None:
    lamp.thing.set_property("picture", Content(IMAGE, "image/png"))
    media_types = [form["contentType"] for form in lamp.td["actions"]["invert"]["forms"]]
    as_bytes = {"as": "bytes"}  # node-wot decodes files as ASCII
    assert await told(
        lamp,
        read("picture", **as_bytes),
        invoke("invert", {"image": to_text(IMAGE)}, **as_bytes),
        invoke("invert", to_text(IMAGE), form=media_types.index("image/png"), **as_bytes),
    ) == [{"ok": to_text(IMAGE)}, {"ok": to_text(INVERTED)}, {"ok": to_text(INVERTED)}]


async def test_refusals_carry_their_status(lamp: Lamp) -> None:
    assert await told(
        lamp,
        read("double_result"),
        invoke("double", {"number": "many"}),
        invoke("double"),
        write("level", 101),
        invoke("double", {"number": -1}),
        read("level"),
    ) == [
        {"error": "Client error: Not Found"},
        {"error": "Client error: Bad Request"},
        {"error": "Client error: Bad Request"},
        {"error": "Client error: Bad Request"},
        {"error": "Server error: Internal Server Error"},
        {"ok": 3},
    ]


async def test_unknown_names_are_not_found(lamp: Lamp) -> None:
    td = lamp.with_unknown("properties", "colour", like="level")
    steps = (read("colour"), write("colour", 1), observe("colour"))
    assert await consume("http", td, *steps) == 3 * [{"error": "Client error: Not Found"}]
    td = lamp.with_unknown("actions", "explode", like="toggle")
    assert await consume("http", td, invoke("explode")) == [{"error": "Client error: Not Found"}]


async def test_observes_and_subscribes(lamp: Lamp) -> None:
    steps = [
        observe("level"),
        observe("settings"),
        observe("double_result"),
        subscribe("toggled"),
        subscribe("double_completed"),
        subscribe("double_failed"),
        *(write("level", level) for level in (5, 6, 7)),
        write("settings", {"error": "none", "id": 0}),
        invoke("toggle"),
        invoke("toggle"),
        invoke("double", {"number": 1}),
        invoke("double", {"number": -1}),
    ]
    answers = await told(
        lamp,
        *steps,
        values("level", 3),
        values("settings"),
        values("double_result"),
        values("toggled", 2),
        values("double_completed"),
        values("double_failed"),
        stop("level"),
        stop("toggled"),
        write("level", 8),
        observe("level"),
        write("level", 9),
        values("level"),
    )
    levels, settings, results, toggled, completed, failed, *_, again = answers[len(steps) :]
    assert levels == {"ok": [5, 6, 7]}
    assert settings == {"ok": [{"error": "none", "id": 0}]}
    assert results == {"ok": [2]}
    assert toggled == {"ok": [True, False]}
    assert completed["ok"][0]["output"] == 2
    assert "negative numbers are not for lamps" in failed["ok"][0]["detail"]
    assert again == {"ok": [9]}


async def test_hears_that_a_thing_is_gone(lamp: Lamp) -> None:
    steps = (observe("level"), values("level"), read("level"))
    async with consuming("http", lamp.td, *steps) as answers:
        assert await anext(answers) == {"ok": None}
        lamp.thing.destroy()
        assert await anext(answers) == {"ok": ["Error: Client error: Not Found"]}
        assert await anext(answers) == {"error": "Client error: Not Found"}

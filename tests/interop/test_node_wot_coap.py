"""node-wot consumes our Things over CoAP.

It takes any response for an answer, whatever its code: a refusal shows in that the Problem Details do
not match the schema of the output, and a refused write not at all.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from servient.bindings.coap.binding import CoapBinding
from tests.interop.node_wot import (
    Answer,
    Step,
    consume,
    invoke,
    observe,
    read,
    stop,
    subscribe,
    values,
    write,
)
from tests.interop.serving import Lamp, serving


@pytest.fixture
async def lamp() -> AsyncIterator[Lamp]:
    async with serving(CoapBinding("127.0.0.1", "127.0.0.1", 0)) as lamp:
        yield lamp


async def told(lamp: Lamp, *steps: Step) -> list[Answer]:
    return await consume("coap", lamp.td, *steps)


def problem(answer: Answer) -> dict[str, Any]:
    assert answer["error"] == "Invalid value according to DataSchema"
    body: dict[str, Any] = json.loads(answer["body"])
    assert body["type"].startswith("urn:wasm-servient:problem:")
    return body


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
    assert await consume("coap", url, read("level")) == [{"ok": 3}]


async def test_gets_what_needs_many_blocks(lamp: Lamp) -> None:
    long = {"error": "x" * 5000}
    lamp.thing.set_property("settings", long)
    steps = (read("settings"), observe("settings"), values("settings"))
    assert await told(lamp, *steps) == [{"ok": long}, {"ok": None}, {"ok": [long]}]


async def test_refusals_carry_a_problem(lamp: Lamp) -> None:
    many, missing, refused, level, failed, nothing = await told(
        lamp,
        invoke("double", {"number": "many"}),
        invoke("double"),
        write("level", 101),
        read("level"),
        invoke("double", {"number": -1}),
        read("double_result"),
    )
    assert problem(many)["errors"][0]["pointer"] == "/number"
    assert "'number' is a required property" in problem(missing)["detail"]
    assert (refused, level) == ({"ok": None}, {"ok": 3})
    assert "negative numbers are not for lamps" in problem(failed)["detail"]
    assert problem(nothing)["status"] == 404


async def test_unknown_names_are_not_found(lamp: Lamp) -> None:
    td = lamp.with_unknown("properties", "colour", like="level")
    [answer] = await consume("coap", td, read("colour"))
    assert "no property 'colour'" in problem(answer)["detail"]
    td = lamp.with_unknown("actions", "explode", like="double")
    [answer] = await consume("coap", td, invoke("explode", {"number": 1}))
    assert "no action 'explode'" in problem(answer)["detail"]


async def test_observes_properties(lamp: Lamp) -> None:
    steps = [
        observe("level"),
        observe("settings"),
        values("level"),
        *(step for level in (5, 6) for step in (write("level", level), values("level"))),
        write("settings", {"error": "none", "id": 0}),
        values("settings", 2),
        stop("level"),
        write("level", 7),
        observe("level"),
        values("level"),
    ]
    lamp.thing.set_property("settings", {})
    answers = [answer["ok"] for answer in await told(lamp, *steps)]
    assert [answer for answer in answers if answer] == [
        [3],
        [5],
        [6],
        [{}, {"error": "none", "id": 0}],
        [7],
    ]


async def test_subscribes_to_events(lamp: Lamp) -> None:
    steps = [
        subscribe("toggled"),
        subscribe("double_completed"),
        subscribe("double_failed"),
        invoke("toggle"),
        invoke("toggle"),
        invoke("double", {"number": 1}),
        invoke("double", {"number": -1}),
    ]
    answers = await told(
        lamp,
        *steps,
        values("toggled", 3),
        values("double_completed", 2),
        values("double_failed", 2),
        stop("toggled"),
    )
    toggled, completed, failed, stopped = (answer["ok"] for answer in answers[len(steps) :])
    # The first response only says that the subscription is there: it has no payload.
    assert toggled == ["Error: Invalid value according to DataSchema", True, False]
    assert completed[1]["output"] == 2
    assert "negative numbers are not for lamps" in failed[1]["detail"]
    assert stopped is None

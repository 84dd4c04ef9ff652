"""A Thing as a whole over HTTP: all its properties, events and invocations."""

import asyncio
from typing import Any

import httpx
import pytest

from servient.wot.content import Content
from tests.bindings.http.serving import LAMP, Serving, is_problem, serve

STREAM = {"Accept": "text/event-stream"}
SLOW = f"{LAMP}/actions/double"


async def messages(response: httpx.Response, count: int) -> list[dict[str, str]]:
    """The next messages of a stream, each as its fields."""
    found: list[dict[str, str]] = [{}]
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            found[-1][name] = value
        elif len(found) == count:
            return found
        else:
            found.append({})
    return found


async def test_all_properties_are_read_at_once(serving: Serving) -> None:
    answer = await serving.get(f"{LAMP}/properties")
    assert (answer.status_code, answer.json()) == (200, {"level": 3, "serial": "4711"})
    serving.lamp.set_property("picture", Content(b"\x89PNG", "image/png"))
    assert (await serving.get(f"{LAMP}/properties")).json()["picture"] == "iVBORw=="


async def test_those_that_are_named_are_read(serving: Serving) -> None:
    answer = await serving.get(f"{LAMP}/properties?names=serial,level")
    assert answer.json() == {"serial": "4711", "level": 3}
    assert is_problem(await serving.get(f"{LAMP}/properties?names=level,none"), 404)
    assert is_problem(await serving.get(f"{LAMP}/properties?name=level"), 400)


async def test_several_are_written_at_once_or_none(serving: Serving) -> None:
    written = await serving.send("PUT", f"{LAMP}/properties", json={"level": 7, "settings": {}})
    assert (written.status_code, written.content) == (204, b"")
    assert (await serving.get(f"{LAMP}/properties/level")).json() == 7
    refused = await serving.send("PUT", f"{LAMP}/properties", json={"level": 8, "settings": 1})
    assert is_problem(refused, 400)
    assert refused.json()["errors"][0]["pointer"] == "/settings"
    assert (await serving.get(f"{LAMP}/properties/level")).json() == 7


@pytest.mark.parametrize(("body", "status"), [(b"", 400), (b"[1]", 400), (b'{"serial":"x"}', 405)])
async def test_what_cannot_be_written_is_refused(
    serving: Serving, body: bytes, status: int
) -> None:
    assert is_problem(await serving.send("PUT", f"{LAMP}/properties", content=body), status)


async def test_all_properties_are_observed_in_one_stream(serving: Serving) -> None:
    async with serving.client.stream(
        "GET", f"{serving.binding.origin}{LAMP}/properties", headers=STREAM
    ) as response:
        serving.lamp.set_property("serial", "not observable")
        serving.lamp.set_property("level", 9)
        serving.lamp.set_property("settings", {"id": 1})
        seen = await messages(response, 2)
    assert [(each["event"], each["data"]) for each in seen] == [
        ("level", "9"),
        ("settings", '{"id":1}'),
    ]


async def test_all_events_are_subscribed_to_in_one_stream(serving: Serving) -> None:
    async with serving.client.stream(
        "GET", f"{serving.binding.origin}{LAMP}/events", headers=STREAM
    ) as response:
        serving.lamp.emit_event("toggled", True)
        assert [each["event"] for each in await messages(response, 1)] == ["toggled"]
    assert is_problem(await serving.get(f"{LAMP}/events"), 415)


@pytest.mark.parametrize("path", ["properties", "properties/level/observe"])
async def test_what_was_missed_is_sent_to_who_says_what_it_saw(serving: Serving, path: str) -> None:
    url = f"{serving.binding.origin}{LAMP}/{path}"
    async with serving.client.stream("GET", url, headers=STREAM) as response:
        serving.lamp.set_property("level", 1)
        [first] = await messages(response, 1)
    for level in (2, 3):
        serving.lamp.set_property("level", level)
    headers = {**STREAM, "Last-Event-ID": first["id"]}
    async with serving.client.stream("GET", url, headers=headers) as response:
        serving.lamp.set_property("level", 4)
        seen = await messages(response, 3)
    assert [each["data"] for each in seen] == ["2", "3", "4"]


@pytest.mark.parametrize("last", ["", "x", "-1", "9" * 50, "\u00b2"])
async def test_a_last_id_that_is_none_of_ours_replays_nothing(serving: Serving, last: str) -> None:
    headers = {b"Accept": b"text/event-stream", b"Last-Event-ID": last.encode()}
    url = f"{serving.binding.origin}{LAMP}/properties"
    async with serving.client.stream("GET", url, headers=headers) as response:
        serving.lamp.set_property("level", 4)
        assert [each["data"] for each in await messages(response, 1)] == ["4"]


# Invocations


@pytest.fixture
def gate(serving: Serving) -> asyncio.Event:
    """What the action `double` waits for."""
    opened = asyncio.Event()

    async def double(value: Any) -> Any:
        await opened.wait()
        return value["number"] * 2

    serving.lamp.set_action_handler("double", double)
    return opened


async def begin(serving: Serving) -> httpx.Response:
    return await serving.send(
        "POST", SLOW, json={"number": 4}, headers={"Prefer": "wait=1, Respond-Async"}
    )


async def test_who_would_rather_not_wait_gets_a_status(
    serving: Serving, gate: asyncio.Event
) -> None:
    answer = await begin(serving)
    assert (answer.status_code, answer.headers["preference-applied"]) == (201, "respond-async")
    href = answer.headers["location"]
    assert answer.json()["href"] == href
    assert answer.json()["status"] in ("pending", "running")
    running = await serving.get(href)
    assert (running.status_code, running.json()["status"]) == (200, "running")
    gate.set()
    while (status := (await serving.get(href)).json())["status"] == "running":
        await asyncio.sleep(0.01)
    assert (status["status"], status["output"]) == ("completed", 8)
    everything = (await serving.get(f"{LAMP}/actions")).json()
    assert everything["double"] == [status]
    assert everything["toggle"] == []


async def test_an_invocation_is_cancelled(serving: Serving, gate: asyncio.Event) -> None:
    href = (await begin(serving)).headers["location"]
    assert (await serving.send("DELETE", href)).status_code == 204
    while (status := (await serving.get(href)).json())["status"] == "running":
        await asyncio.sleep(0.01)
    assert (status["status"], status["error"]["status"]) == ("failed", 500)
    assert "cancelled" in status["error"]["detail"]
    assert (await serving.send("DELETE", href)).status_code == 204


@pytest.mark.parametrize("path", ["double/99", "none/0", "double/%2e%2e"])
async def test_an_invocation_that_is_none_is_not_found(serving: Serving, path: str) -> None:
    for method in ("GET", "DELETE"):
        assert is_problem(await serving.send(method, f"{LAMP}/actions/{path}"), 404)


async def test_an_action_that_is_not_synchronous_never_lets_wait() -> None:
    async with serve() as serving:
        serving.lamp.add_action("brew", {"synchronous": False}, lambda _: None)
        answer = await serving.send("POST", f"{LAMP}/actions/brew")
        assert answer.status_code == 201
        assert "preference-applied" not in answer.headers


async def test_the_td_has_forms_for_the_thing_as_a_whole(serving: Serving) -> None:
    td = (await serving.get(LAMP)).json()
    forms = td["forms"]
    by_operation = {str(form["op"]): form["href"].partition(LAMP)[2] for form in forms}
    assert by_operation == {
        "['readallproperties']": "/properties",
        "['writemultipleproperties']": "/properties",
        "['observeallproperties', 'unobserveallproperties']": "/properties",
        "['subscribeallevents', 'unsubscribeallevents']": "/events",
        "['queryallactions']": "/actions",
    }

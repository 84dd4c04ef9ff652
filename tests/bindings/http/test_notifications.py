"""Long polls and event streams."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvloop

from servient.wot.content import Content
from tests.bindings.http.serving import LAMP, Serving, is_problem, serve

LEVEL = f"{LAMP}/properties/level"
TOGGLED = f"{LAMP}/events/toggled"
STREAM = {"Accept": "text/event-stream"}


@asynccontextmanager
async def stream(serving: Serving, path: str) -> AsyncIterator[AsyncIterator[list[str]]]:
    """The messages of an event stream, each as its lines."""
    url = serving.binding.origin + path
    async with serving.client.stream("GET", url, headers=STREAM) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream"
        yield _messages(response)


async def _messages(response: httpx.Response) -> AsyncIterator[list[str]]:
    lines: list[str] = []
    async for line in response.aiter_lines():
        if line:
            lines.append(line)
        else:
            yield lines
            lines = []


async def test_a_stream_carries_name_id_and_value(serving: Serving) -> None:
    async with stream(serving, f"{LEVEL}/observe") as levels:
        serving.lamp.set_property("level", 5)
        serving.lamp.set_property("level", 6)
        first, second = await anext(levels), await anext(levels)
    assert (first[0], first[2]) == ("event: level", "data: 5")
    assert (second[0], second[2]) == ("event: level", "data: 6")
    ids = [int(message[1].removeprefix("id: ")) for message in (first, second)]
    assert ids[0] < ids[1]


async def test_values_of_all_kinds_are_json_in_a_stream(serving: Serving) -> None:
    values = [True, "a\nb\u2028", {"error": None}, [], 1.5, None]
    async with stream(serving, TOGGLED) as events:
        for value in values:
            serving.lamp.emit_event("toggled", value)
        serving.lamp.emit_event("toggled", Content(b'{\r\n"a":\n1}', "application/json"))
        got = [await anext(events) for _ in range(len(values) + 1)]
    parsed = [
        json.loads("\n".join(line.removeprefix("data: ") for line in message[2:]))
        for message in got
    ]
    assert parsed == [*values, {"a": 1}]


async def test_a_file_is_base64_in_a_stream_and_itself_in_a_poll(serving: Serving) -> None:
    path = f"{LAMP}/properties/picture/observe"
    assert (await serving.send("HEAD", path)).status_code == 200
    async with stream(serving, path) as pictures:
        serving.lamp.set_property("picture", Content(b"\x89PNG", "image/png"))
        assert (await anext(pictures))[2] == 'data: "iVBORw=="'
    answer = await serving.get(path)
    assert (answer.headers["content-type"], answer.content) == ("image/png", b"\x89PNG")


async def test_a_poll_answers_with_the_next_value(serving: Serving) -> None:
    for path in (f"{LEVEL}/observe", TOGGLED):
        poll = asyncio.create_task(serving.get(path))
        while not poll.done():
            serving.lamp.set_property("level", 9)
            serving.lamp.emit_event("toggled", 9)
            await asyncio.sleep(0.01)
        answer = await poll
        assert (answer.status_code, answer.json()) == (200, 9)
        assert answer.headers["cache-control"] == "no-store"


async def test_nothing_is_missed_between_two_polls(serving: Serving) -> None:
    assert (await serving.send("HEAD", f"{LEVEL}/observe")).status_code == 200
    for level in range(1, 8):
        serving.lamp.set_property("level", level)
    levels = [(await serving.get(f"{LEVEL}/observe")).json() for _ in range(7)]
    assert levels == list(range(1, 8))


async def test_a_poll_without_news_ends_without_content() -> None:
    async with serve(long_poll_seconds=0.05) as serving:
        assert (await serving.get(TOGGLED)).status_code == 204
        serving.lamp.emit_event("toggled", True)
        assert (await serving.get(TOGGLED)).json() is True


async def test_an_idle_stream_has_a_heartbeat() -> None:
    async with serve(heartbeat_seconds=0.02) as serving, stream(serving, TOGGLED) as events:
        assert [await anext(events), await anext(events)] == [[":"], [":"]]
        serving.lamp.emit_event("toggled", True)
        while (message := await anext(events)) == [":"]:
            pass
        assert message[0] == "event: toggled"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{LAMP}/events/none", 404),
        (f"{LAMP}/properties/none/observe", 404),
        (f"{LAMP}/properties/serial/observe", 405),
        ("/things/none/events/toggled", 404),
    ],
)
async def test_what_cannot_be_observed_is_refused(serving: Serving, path: str, status: int) -> None:
    for headers in ({}, STREAM):
        assert is_problem(await serving.get(path, headers=headers), status)
        assert (await serving.send("HEAD", path, headers=headers)).status_code == status


async def test_destroying_a_thing_ends_polls_and_streams(serving: Serving) -> None:
    poll = asyncio.create_task(serving.get(f"{LEVEL}/observe"))
    kept = await serving.send("HEAD", TOGGLED)
    assert kept.status_code == 200
    async with stream(serving, f"{LEVEL}/observe") as levels:
        serving.lamp.destroy()
        assert [message async for message in levels] == []
    assert is_problem(await poll, 404)
    assert is_problem(await serving.get(TOGGLED), 404)


async def _leave_streams() -> None:
    async with serve(subscriptions_limit=1) as serving:
        for headers in (STREAM, {}):
            request = {"Accept": "text/plain", **headers}
            lines = "".join(f"{name}: {value}\r\n" for name, value in request.items())
            _, writer = await asyncio.open_connection("127.0.0.1", serving.binding.port)
            writer.write(f"GET {TOGGLED} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode())
            # There is room for one subscription, and it is taken until that client goes.
            while (await _stream_status(serving)) != 503:
                await asyncio.sleep(0.01)
            writer.close()
            while (await _stream_status(serving)) != 200:
                await asyncio.sleep(0.01)


async def test_a_client_that_leaves_is_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    await _leave_streams()
    assert _errors(caplog) == []


def test_a_client_that_leaves_is_forgotten_on_uvloop(caplog: pytest.LogCaptureFixture) -> None:
    """Whose connections raise when they are written to once they are closed."""
    uvloop.run(_leave_streams())
    assert _errors(caplog) == []


def _errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]


async def _stream_status(serving: Serving) -> int:
    url = serving.binding.origin + TOGGLED
    async with serving.client.stream("GET", url, headers=STREAM) as response:
        return response.status_code


async def test_many_subscribers_get_every_value(serving: Serving) -> None:
    async def collect(ready: asyncio.Semaphore) -> list[str]:
        async with stream(serving, f"{LEVEL}/observe") as levels:
            ready.release()
            return [(await anext(levels))[2] for _ in range(20)]

    ready = asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as group:
        collecting = [group.create_task(collect(ready)) for _ in range(20)]
        for _ in collecting:
            await ready.acquire()
        for level in range(20):
            await serving.lamp.write_property("level", level)
    expected = [f"data: {level}" for level in range(20)]
    assert all(task.result() == expected for task in collecting)


async def test_a_client_that_does_not_read_harms_nobody(serving: Serving) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", serving.binding.port, limit=1024)
    writer.write(f"GET {TOGGLED} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    for _ in range(500):
        serving.lamp.emit_event("toggled", "x" * 100_000)
        await asyncio.sleep(0)
    assert (await serving.get(LEVEL)).json() == 3
    writer.transport.abort()

"""Programs that consume Things over HTTP through WoTPy's API, with our client."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import psutil
import pytest
from wotpy.protocols.exceptions import ClientRequestTimeout, FormNotFoundException

from servient.bindings.http.binding import HttpBinding
from servient.clients.errors import InteractionRefused
from servient.clients.event_source import read_events
from servient.clients.http import HttpClient
from servient.wot.content import Content
from servient.wot.entry import WoT
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing
from tests.things import expose_lamp

DEADLINE_SECONDS = 20.0


@dataclass
class World:
    """A lamp that is served, and a program on another servient that consumes it."""

    lamp: ExposedThing
    td: dict[str, Any]
    client: HttpClient
    wot: WoT

    def consume(self, change: Callable[[dict[str, Any]], None] = lambda td: None) -> Any:
        td = json.loads(json.dumps(self.td))
        change(td)
        return self.wot.consume(json.dumps(td))


@pytest.fixture
async def world() -> AsyncIterator[World]:
    servient = Servient()
    servient.add_server(HttpBinding("127.0.0.1", "127.0.0.1", 0))
    lamp = expose_lamp(await servient.start())
    client = HttpClient()
    yield World(lamp, servient.td(lamp), client, WoT(servient=Servient(clients=[client])))
    await client.close()
    await servient.shutdown()


class Received:
    """An observer that can be waited for."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Any] = asyncio.Queue()

    def subscribe_to(self, interaction: Any) -> Any:
        return interaction.subscribe(
            on_next=self.queue.put_nowait,
            on_error=self.queue.put_nowait,
            on_completed=lambda: self.queue.put_nowait("completed"),
        )

    async def next(self) -> Any:
        return await asyncio.wait_for(self.queue.get(), DEADLINE_SECONDS)


def only(subprotocol: str) -> Callable[[dict[str, Any]], None]:
    """Take the forms of the other subprotocol out of a TD."""

    def change(td: dict[str, Any]) -> None:
        for affordance in [*td["properties"].values(), *td["events"].values()]:
            affordance["forms"] = [
                form
                for form in affordance["forms"]
                if form.get("subprotocol", subprotocol) == subprotocol
            ]

    return change


@pytest.mark.parametrize(
    "value",
    [
        0,
        7,
        -1.5,
        True,
        False,
        "",
        "an error",
        [],
        ["error"],
        {},
        {"error": "no"},
        {"a": {"b": [1]}},
    ],
)
async def test_any_output_is_what_the_thing_returned(world: World, value: Any) -> None:
    world.lamp.set_action_handler("toggle", lambda _: value)
    assert await world.consume().actions["toggle"].invoke() == value
    world.lamp.set_property("serial", value)
    assert await world.consume().read_property("serial") == value


async def test_no_output_is_none(world: World) -> None:
    assert await world.consume().actions["toggle"].invoke() is None


async def test_a_property_is_written(world: World) -> None:
    await world.consume().properties["level"].write(77)
    assert await world.lamp.read_property("level") == 77
    await world.consume().properties["settings"].write({"error": "x"})
    assert await world.consume().properties["settings"].read() == {"error": "x"}


async def test_files_pass_in_both_directions(world: World) -> None:
    image, inverted = Content(b"\x00\x01", "image/png"), Content(b"\xff\xfe", "image/png")
    consumed = world.consume()
    assert await consumed.actions["invert"].invoke({"image": image}) == inverted
    assert await consumed.actions["invert"].invoke(image) == inverted
    world.lamp.set_property("picture", image)
    assert await consumed.properties["picture"].read() == image


async def test_a_refusal_carries_its_problem(world: World) -> None:
    consumed = world.consume()
    with pytest.raises(InteractionRefused, match="number") as refused:
        await consumed.actions["double"].invoke({"number": "x"})
    assert refused.value.status == 400
    assert refused.value.problem["errors"][0]["pointer"] == "/number"
    with pytest.raises(InteractionRefused) as refused:
        await consumed.properties["double_result"].read()
    assert refused.value.status == 404
    with pytest.raises(FormNotFoundException):
        await consumed.properties["serial"].write("x")


@pytest.mark.parametrize("subprotocol", ["sse", "longpoll"])
async def test_changes_are_observed(world: World, subprotocol: str) -> None:
    received = Received()
    subscription = received.subscribe_to(world.consume(only(subprotocol)).properties["level"])
    while received.queue.empty():  # subscribing is not awaited in this API
        await world.lamp.write_property("level", 1)
        await asyncio.sleep(0.01)
    for level in (10, 11, 12):
        await world.lamp.write_property("level", level)
    values = [(await received.next()).data.value]
    while values[-1] != 12:
        values.append((await received.next()).data.value)
    assert values[-3:] == [10, 11, 12]
    assert set(values[:-3]) == {1}
    subscription.dispose()
    await _nobody_listens(world)


@pytest.mark.parametrize("subprotocol", ["sse", "longpoll"])
async def test_events_are_received(world: World, subprotocol: str) -> None:
    received = Received()
    subscription = received.subscribe_to(world.consume(only(subprotocol)).events["toggled"])
    while received.queue.empty():
        world.lamp.emit_event("toggled", {"error": "none"})
        await asyncio.sleep(0.01)
    event = await received.next()
    assert (event.name, event.data) == ("toggled", {"error": "none"})
    subscription.dispose()
    await _nobody_listens(world)


async def _nobody_listens(world: World) -> None:
    """Unsubscribing ends the client's task, and with it its request."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while any("subscription" in task.get_name() for task in asyncio.all_tasks()):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("subprotocol", ["sse", "longpoll"])
async def test_files_are_observed(world: World, subprotocol: str) -> None:
    received = Received()
    received.subscribe_to(world.consume(only(subprotocol)).properties["picture"])
    while received.queue.empty():
        world.lamp.set_property("picture", Content(b"\x89PNG", "image/png"))
        await asyncio.sleep(0.01)
    assert (await received.next()).data.value == Content(b"\x89PNG", "image/png")


async def test_an_error_reaches_the_observer(world: World) -> None:
    consumed = world.consume()
    world.lamp.destroy()
    received = Received()
    received.subscribe_to(consumed.events["toggled"])
    error = await received.next()
    assert isinstance(error, InteractionRefused)
    assert error.status == 404


async def test_a_destroyed_thing_completes_its_streams(world: World) -> None:
    received = Received()
    received.subscribe_to(world.consume().events["toggled"])
    while received.queue.empty():
        world.lamp.emit_event("toggled", True)
        await asyncio.sleep(0.01)
    world.lamp.destroy()
    while (last := await received.next()) != "completed":
        assert last.data is True


async def test_relative_references_and_missing_methods(world: World) -> None:
    def change(td: dict[str, Any]) -> None:
        forms = td["actions"]["double"]["forms"]
        base, _, reference = forms[0]["href"].partition("/things/")
        td["base"] = f"{base}/"
        td["actions"]["double"]["forms"] = [{"href": f"things/{reference}"}]

    assert await world.consume(change).actions["double"].invoke({"number": 4}) == 8


async def test_a_slow_answer_is_a_timeout(world: World) -> None:
    world.lamp.set_action_handler("toggle", lambda _: asyncio.sleep(60))
    with pytest.raises(ClientRequestTimeout):
        await world.consume().actions["toggle"].invoke(timeout=0.1)


async def test_requests_are_signed(world: World) -> None:
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    def change(td: dict[str, Any]) -> None:
        td["properties"]["level"]["forms"] = [{"href": f"http://127.0.0.1:{port}/"}]

    world.client.set_security({"scheme": "basic"}, {"username": "me", "password": "pw"})
    await world.consume(change).properties["level"].write(1)
    server.close()
    assert b"authorization: basic bwu6chc=" in seen[0].lower()


async def test_many_calls_at_once_and_connections_that_are_kept(world: World) -> None:
    consumed = world.consume()
    outputs = await asyncio.gather(
        *(consumed.actions["double"].invoke({"number": number}) for number in range(100))
    )
    assert outputs == [2 * number for number in range(100)]
    count = _connections()
    for number in range(20):
        assert await consumed.actions["double"].invoke({"number": number}) == 2 * number
    assert _connections() <= count


def _connections() -> int:
    return len(psutil.Process().net_connections("tcp"))


async def test_an_event_stream_is_read_however_it_arrives() -> None:
    text = b": hi\r\nevent: a\r\ndata: 1\r\n\r\ndata:2\ndata: 3\n\nid: 5\n\ndata\n\rdata: \xe2\x80\xa8\r\r"
    expected = [b"1", b"2\n3", b"", b"\xe2\x80\xa8"]
    for size in range(1, len(text) + 1):

        async def chunks(size: int = size) -> AsyncIterator[bytes]:
            for start in range(0, len(text), size):
                yield text[start : start + size]

        assert [data async for data in read_events(chunks())] == expected, size

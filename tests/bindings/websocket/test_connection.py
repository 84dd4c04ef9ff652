"""What holds in both dialects: concurrency, limits, and how connections end."""

import asyncio
import json
from typing import Any

import pytest

from servient.bindings.websocket.connection import Connection, Limits
from servient.bindings.websocket.dialect import Answered
from servient.bindings.websocket.json_rpc import JsonRpc
from servient.bindings.websocket.served_thing import ServedThing
from servient.wot.door import Door
from tests.bindings.websocket.serving import (
    PATIENCE_SECONDS,
    WEB_THING,
    Served,
    ask,
    closing,
    receive,
    rpc,
    serving,
    until,
    wtp,
)

DIALECTS = [None, WEB_THING]


def invocation(subprotocol: str | None, name: str, number: int) -> dict[str, Any]:
    if subprotocol is None:
        return rpc("invoke_action", number, name=name)
    return wtp("invokeaction", name, correlationID=str(number))


def reading(subprotocol: str | None, number: int) -> dict[str, Any]:
    if subprotocol is None:
        return rpc("read_property", number, name="level")
    return wtp("readproperty", "level", correlationID=str(number))


def subscription(subprotocol: str | None, name: str) -> dict[str, Any]:
    if subprotocol is None:
        return rpc("on_property_change", name=name)
    return wtp("observeproperty", name)


def number_of(answer: dict[str, Any]) -> int:
    return int(answer["id"] if "id" in answer else answer["correlationID"])


def status_of(answer: dict[str, Any]) -> int:
    error = answer["error"]
    return int(error["data"]["status"] if "jsonrpc" in answer else error["status"])


class Gate:
    """Makes the action `toggle` wait."""

    def __init__(self, served: Served) -> None:
        self.is_open = asyncio.Event()
        self.count = 0
        served.lamp.set_action_handler("toggle", self._pass)

    async def _pass(self, _: Any) -> None:
        self.count += 1
        await self.is_open.wait()


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_slow_action_blocks_nothing(served: Served, dialect: str | None) -> None:
    gate = Gate(served)
    async with served.connected(dialect) as socket:
        await socket.send(json.dumps(invocation(dialect, "toggle", 1)))
        for number in range(2, 40):
            assert number_of(await ask(socket, reading(dialect, number))) == number
        gate.is_open.set()
        assert number_of(await receive(socket)) == 1


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_burst_is_answered_in_full(served: Served, dialect: str | None) -> None:
    async with served.connected(dialect) as socket:
        for number in range(1000):
            await socket.send(json.dumps(reading(dialect, number)))
        answers = [await receive(socket) for _ in range(1000)]
    assert {number_of(answer) for answer in answers} == set(range(1000))
    assert not any("error" in answer for answer in answers)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_beyond_the_requests_in_flight_it_is_busy(dialect: str | None) -> None:
    limits = Limits(requests=4, patience_seconds=0.05)
    async with serving(limits=limits) as served, served.connected(dialect) as socket:
        gate = Gate(served)
        for number in range(8):
            await socket.send(json.dumps(invocation(dialect, "toggle", number)))
        busy = [await receive(socket) for _ in range(4)]
        assert {number_of(answer) for answer in busy} == {4, 5, 6, 7}
        assert {status_of(answer) for answer in busy} == {503}
        gate.is_open.set()
        done = [await receive(socket) for _ in range(4)]
        assert {number_of(answer) for answer in done} == {0, 1, 2, 3}
        assert "error" not in await ask(socket, reading(dialect, 9))


async def test_subscriptions_are_limited() -> None:
    async with serving(limits=Limits(subscriptions=8)) as served, served.connected() as socket:
        answers = [await ask(socket, rpc("on_event", name="toggled")) for _ in range(10_000)]
        assert all("result" in answer for answer in answers[:8])
        assert {status_of(answer) for answer in answers[8:]} == {503}
        await ask(socket, rpc("dispose", subscription=answers[0]["result"]))
        assert "result" in await ask(socket, rpc("on_event", name="toggled"))
        served.lamp.emit_event("toggled", True)
        items = [await receive(socket) for _ in range(8)]
        assert len({item["subscription"] for item in items}) == 8


async def test_subscribing_again_and_again_is_one_subscription(served: Served) -> None:
    async with served.connected(WEB_THING) as socket:
        for number in range(2000):
            await socket.send(
                json.dumps(wtp("subscribeevent", "toggled", correlationID=f"{number}"))
            )
        for _ in range(2000):
            assert "error" not in await receive(socket)
        served.lamp.emit_event("toggled", True)
        assert (await receive(socket))["correlationID"] == "1999"
        assert (await ask(socket, reading(WEB_THING, 1)))["operation"] == "readproperty"


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_consumer_that_does_not_receive_is_cut_off(dialect: str | None) -> None:
    limits = Limits(drain_seconds=0.1)
    async with serving(limits=limits) as served:
        served.lamp.set_property("serial", "x" * 2**20)
        async with served.connected(dialect, max_queue=1) as socket:
            message = rpc("read_property", name="serial")
            if dialect:
                message = wtp("readproperty", "serial")
            for _ in range(60):
                await socket.send(json.dumps(message))
            await until(lambda: served.binding.connection_count == 0)
            socket.transport.abort()


async def test_a_slow_subscriber_loses_the_oldest_and_disturbs_nobody(served: Served) -> None:
    async with served.connected() as slow, served.connected() as quick:
        for socket in (slow, quick):
            await ask(socket, rpc("on_property_change", name="level"))
        for level in range(101):  # without a pause: more than a subscription holds
            await served.lamp.write_property("level", level)
        for socket in (slow, quick):
            levels = [(await receive(socket))["data"]["value"] for _ in range(64)]
            assert levels == list(range(37, 101))


async def test_a_value_that_is_not_json_is_lost_alone(served: Served) -> None:
    async with served.connected() as socket:
        await ask(socket, rpc("on_property_change", name="settings"))
        served.lamp.set_property("settings", {"number": float("nan")})
        answer = await ask(socket, rpc("read_property", name="settings"))
        assert status_of(answer) == 500
        served.lamp.set_property("settings", {"number": 1})
        assert (await receive(socket))["data"]["value"] == {"number": 1}


class Faulty(ServedThing):
    """A Thing whose every operation is a bug."""

    def begin(self, command: Answered) -> Any:
        raise RuntimeError("a secret path")


class Outbox:
    """A socket that keeps what is sent."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def send(self, message: bytes) -> bool:
        self.messages.append(json.loads(message))
        return True

    async def drained(self) -> None:
        """It takes everything."""

    def shut(self, code: int, reason: str) -> None:
        """Nothing to close."""


async def test_a_bug_is_logged_and_answered_without_its_details(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = Outbox()
    thing = Faulty(served.servient, Door(served.servient), served.lamp.name)
    connection = Connection(outbox, JsonRpc(None, served.url), thing, Limits())
    connection.receive(json.dumps(rpc("read_property", 6, name="level")))
    await until(lambda: bool(outbox.messages))
    (answer,) = outbox.messages
    assert (answer["id"], status_of(answer)) == (6, 500)
    assert "secret" not in json.dumps(answer)
    assert "a secret path" in caplog.text


# Ends


async def test_a_destroyed_thing_says_so_and_closes(served: Served) -> None:
    async with served.connected() as rpc_socket, served.connected(WEB_THING) as wtp_socket:
        key = (await ask(rpc_socket, subscription(None, "level")))["result"]
        await ask(wtp_socket, subscription(WEB_THING, "level"))
        await served.lamp.write_property("level", 99)
        served.lamp.destroy()
        assert (await receive(rpc_socket))["data"]["value"] == 99
        last = await receive(rpc_socket)
        assert (last["id"], last["error"]["code"]) == (None, -32000)
        assert last["error"]["data"]["subscription"] == key
        assert last["error"]["data"]["status"] == 404
        assert (await receive(wtp_socket))["value"] == 99
        for socket in (rpc_socket, wtp_socket):
            assert await closing(socket) == (4410, "the Thing is no longer served")
    await until(lambda: served.binding.connection_count == 0)


async def test_an_idle_connection_ends_with_its_thing_and_only_that(served: Served) -> None:
    async with served.connected() as socket:
        other = served.lamp
        served.lamp = served.wot.produce(
            {**other.description.document, "title": "B", "id": "urn:b"}
        )
        served.lamp.set_property("level", 5)
        served.lamp.expose()
        async with served.connected() as second:
            other.destroy()
            assert await closing(socket) == (4410, "the Thing is no longer served")
            answer = await ask(second, rpc("read_property", name="level"))
            assert answer["result"] == 5


async def test_what_is_in_flight_when_the_thing_goes_has_a_moment(served: Served) -> None:
    async def destroy(_: Any) -> str:
        served.lamp.destroy()
        await asyncio.sleep(0)
        return "gone"

    served.lamp.set_action_handler("toggle", destroy)
    async with served.connected() as socket:
        answer = await ask(socket, rpc("invoke_action", name="toggle"))
        assert answer["id"] == 1
        assert await closing(socket) == (4410, "the Thing is no longer served")


async def test_subscriptions_and_requests_end_with_their_socket(served: Served) -> None:
    gate = Gate(served)
    before = asyncio.all_tasks()
    async with served.connected() as socket:
        await ask(socket, rpc("on_event", name="toggled"))
        await ask(socket, rpc("on_td_change"))
        await socket.send(json.dumps(rpc("invoke_action", name="toggle")))
        await until(lambda: gate.count == 1)
    await until(lambda: served.binding.connection_count == 0)
    served.lamp.emit_event("toggled", True)
    gate.is_open.set()
    await until(lambda: asyncio.all_tasks() == before)


async def test_an_aborted_socket_leaves_nothing(served: Served) -> None:
    before = asyncio.all_tasks()
    async with served.connected(WEB_THING) as socket:
        await ask(socket, subscription(WEB_THING, "level"))
        socket.transport.abort()
    await until(lambda: served.binding.connection_count == 0)
    await until(lambda: asyncio.all_tasks() == before)


async def test_stopping_closes_with_a_reason_and_leaves_nothing() -> None:
    before = asyncio.all_tasks()
    limits = Limits(farewell_seconds=0.1, close_seconds=0.1)
    async with (
        serving(limits=limits) as served,
        served.connected() as socket,
        served.connected() as deaf,
    ):
        gate = Gate(served)
        deaf.transport.pause_reading()  # does not answer the closing handshake
        await ask(socket, rpc("on_event", name="toggled"))
        await socket.send(json.dumps(rpc("invoke_action", 2, name="toggle")))
        await until(lambda: gate.count == 1)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await served.binding.stop()
        assert served.binding.connection_count == 0
        assert await closing(socket) == (1001, "the servient stops")
        deaf.transport.abort()
        gate.is_open.set()
        with pytest.raises(OSError):
            await served.connected().__aenter__()
    assert asyncio.all_tasks() == before


async def test_it_can_be_started_again(served: Served) -> None:
    port = served.binding.port
    await served.binding.stop()
    await served.binding.stop()
    await served.binding.start(served.servient)
    assert served.binding.port == port
    async with served.connected() as socket:
        assert (await ask(socket, rpc("read_property", name="level")))["result"] == 3

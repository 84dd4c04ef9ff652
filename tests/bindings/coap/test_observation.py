"""Observation (RFC 7641): beginning, bursts, and each way to end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiocoap import EMPTY, GET, POST, Message

from servient.bindings.coap import observation
from servient.wot.subscription import QUEUE_LIMIT
from tests.bindings.coap.serving import (
    ACK,
    CON,
    JSON,
    LAMP,
    NON,
    RawPeer,
    Serving,
    problem_of,
)

CBOR = 60
LEVEL = f"{LAMP}/properties/level"
TOGGLED = f"{LAMP}/events/toggled"


@asynccontextmanager
async def observing(serving: Serving, path: str, **options: Any) -> AsyncIterator[RawPeer]:
    with serving.peer() as peer:
        first = await peer.ask(GET, path, observe=0, **options)
        assert first.code.dotted == "2.05"
        assert first.opt.observe is not None
        yield peer


async def notification(peer: RawPeer) -> Message:
    message = await peer.receive()
    await peer.acknowledge(message)
    return message


async def test_the_present_value_comes_first(serving: Serving) -> None:
    with serving.peer() as peer:
        first = await peer.ask(GET, LEVEL, observe=0)
        assert (first.payload, first.opt.content_format) == (b"3", JSON)
        numbers = [first.opt.observe]
        for value in (4, 5, 5, 6):
            serving.lamp.set_property("level", value)
            message = await notification(peer)
            assert message.mtype is CON
            assert (message.token, message.payload) == (b"t", str(value).encode())
            assert message.opt.content_format == JSON
            numbers.append(message.opt.observe)
        assert numbers == sorted(set(numbers))


async def test_there_is_no_present_value(serving: Serving) -> None:
    for path in (f"{LAMP}/properties/double_result", TOGGLED):
        with serving.peer() as peer:
            first = await peer.ask(GET, path, observe=0)
            assert first.code.dotted == "2.05"
            assert first.opt.observe is not None
            assert (first.payload, first.opt.content_format) == (b"", None)


async def test_an_event_is_plain_data(serving: Serving) -> None:
    async with observing(serving, TOGGLED) as peer:
        serving.lamp.emit_event("toggled", True)
        assert (await notification(peer)).payload == b"true"
        serving.lamp.emit_event("toggled", None)
        assert (await notification(peer)).payload == b"null"


async def test_an_action_is_seen_by_observers(serving: Serving) -> None:
    async with (
        observing(serving, f"{LAMP}/properties/double_result") as results,
        observing(serving, f"{LAMP}/events/double_completed") as completions,
        observing(serving, f"{LAMP}/events/double_failed") as failures,
    ):
        await serving.ask(POST, f"{LAMP}/actions/double", b'{"number": 4}')
        assert (await notification(results)).payload == b"8"
        assert json.loads((await notification(completions)).payload)["output"] == 8
        await serving.ask(POST, f"{LAMP}/actions/double", b'{"number": -4}')
        assert json.loads((await notification(failures)).payload)["status"] == 500


async def test_a_burst_of_values_ends_with_the_last(serving: Serving) -> None:
    """While a notification is under way, values replace each other."""
    async with observing(serving, LEVEL) as peer:
        for value in range(50):
            serving.lamp.set_property("level", value)
        first = await notification(peer)
        values = [int(first.payload)]
        while values[-1] != 49:
            values.append(int((await notification(peer)).payload))
        assert len(values) <= 2
        assert await peer.is_silent()


async def test_a_burst_of_events_arrives_in_order(serving: Serving) -> None:
    async with observing(serving, TOGGLED) as peer:
        for number in range(QUEUE_LIMIT):
            serving.lamp.emit_event("toggled", number)
        received = [int((await notification(peer)).payload) for _ in range(QUEUE_LIMIT)]
        assert received == list(range(QUEUE_LIMIT))


async def test_a_burst_without_end_keeps_the_newest(serving: Serving) -> None:
    async with observing(serving, TOGGLED) as peer:
        for number in range(10 * QUEUE_LIMIT):
            serving.lamp.emit_event("toggled", number)
        received = [int((await notification(peer)).payload) for _ in range(QUEUE_LIMIT)]
        assert received == list(range(9 * QUEUE_LIMIT, 10 * QUEUE_LIMIT))


async def test_there_is_one_notification_under_way(serving: Serving) -> None:
    async with observing(serving, TOGGLED) as peer:
        serving.lamp.emit_event("toggled", 1)
        serving.lamp.emit_event("toggled", 2)
        first = await peer.receive()
        assert await peer.is_silent()
        await peer.acknowledge(first)
        assert (await notification(peer)).payload == b"2"


async def test_several_observations_of_one_client(serving: Serving) -> None:
    async with observing(serving, LEVEL, token=b"a") as peer:
        assert (await peer.ask(GET, TOGGLED, observe=0, token=b"b")).code.is_successful()
        await serving.observers(2)
        serving.lamp.set_property("level", 9)
        serving.lamp.emit_event("toggled", False)
        received = [await notification(peer) for _ in range(2)]
        assert {(m.token, m.payload) for m in received} == {(b"a", b"9"), (b"b", b"false")}


async def test_a_property_that_is_not_observable(serving: Serving) -> None:
    with serving.peer() as peer:
        response = await peer.ask(GET, f"{LAMP}/properties/serial", observe=0)
        assert (response.code.dotted, response.payload) == ("2.05", b'"4711"')
        assert response.opt.observe is None
    assert serving.binding.observers == 0


@pytest.mark.parametrize(
    "path", ["/things/x/properties/y", f"{LAMP}/events/x", f"{LAMP}/actions/double"]
)
async def test_what_cannot_be_observed(serving: Serving, path: str) -> None:
    with serving.peer() as peer:
        response = await peer.ask(GET, path, observe=0)
        assert problem_of(response)[0] in ("4.04", "4.05")
        assert response.opt.observe is None
    assert serving.binding.observers == 0


async def test_a_description_is_not_observed(serving: Serving) -> None:
    with serving.peer() as peer:
        response = await peer.ask(GET, LAMP, observe=0)
        assert response.code.dotted == "2.05"
        assert response.opt.observe is None


async def test_destroying_the_thing_is_told(serving: Serving) -> None:
    async with observing(serving, LEVEL) as levels, observing(serving, TOGGLED) as events:
        serving.lamp.destroy()
        for peer in (levels, events):
            last = await notification(peer)
            assert problem_of(last)[0] == "4.04"
            assert last.opt.observe is None
            assert last.token == b"t"
            assert await peer.is_silent()
    await serving.observers(0)


async def test_what_happened_before_the_end_arrives(serving: Serving) -> None:
    async with observing(serving, TOGGLED) as peer:
        for number in range(3):
            serving.lamp.emit_event("toggled", number)
        serving.lamp.destroy()
        payloads = [(await notification(peer)).payload for _ in range(3)]
        assert payloads == [b"0", b"1", b"2"]
        assert problem_of(await notification(peer))[0] == "4.04"


@pytest.mark.parametrize("path", [LEVEL, TOGGLED])
async def test_deregistering(serving: Serving, path: str) -> None:
    async with observing(serving, path) as peer:
        await serving.observers(1)
        response = await peer.ask(GET, path, observe=1)
        assert response.code.dotted == "2.05"
        assert response.opt.observe is None
        await serving.observers(0)
        serving.lamp.set_property("level", 1)
        serving.lamp.emit_event("toggled", True)
        assert await peer.is_silent()
    assert not serving.lamp.publisher._subscriptions


async def test_deregistering_with_another_token_ends_nothing(serving: Serving) -> None:
    async with observing(serving, LEVEL) as peer:
        await peer.ask(GET, LEVEL, observe=1, token=b"other")
        serving.lamp.set_property("level", 8)
        assert (await notification(peer)).payload == b"8"


async def test_registering_again_replaces_the_former(serving: Serving) -> None:
    async with observing(serving, LEVEL) as peer:
        serving.lamp.set_property("level", 8)
        number = (await notification(peer)).opt.observe
        again = await peer.ask(GET, LEVEL, observe=0)
        assert again.opt.observe > number
        await serving.observers(1)
        serving.lamp.set_property("level", 9)
        assert (await notification(peer)).payload == b"9"
        assert await peer.is_silent()


async def test_a_reset_ends_it(serving: Serving) -> None:
    async with observing(serving, LEVEL) as peer:
        serving.lamp.set_property("level", 1)
        await peer.reject(await peer.receive())
        await serving.observers(0)
        serving.lamp.set_property("level", 2)
        assert await peer.is_silent()
    assert not serving.lamp.publisher._subscriptions
    assert not serving.lamp.publisher._listeners


async def test_a_client_that_is_gone_is_forgotten(serving: Serving) -> None:
    """Its port is closed: the first notification comes back as an ICMP error."""
    async with observing(serving, LEVEL), observing(serving, TOGGLED):
        await serving.observers(2)
    serving.lamp.set_property("level", 1)
    serving.lamp.emit_event("toggled", True)
    await serving.observers(0)
    assert not serving.lamp.publisher._subscriptions


async def test_a_client_that_is_gone_is_noticed_when_nothing_happens(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is there answers, and hears of nothing but what happens."""
    monkeypatch.setattr("servient.bindings.coap.observation.IDLE_SECONDS", 0.05)
    async with observing(serving, TOGGLED) as peer:
        async with observing(serving, LEVEL), observing(serving, TOGGLED):
            await serving.observers(3)
        while serving.binding.observers > 1:
            await peer.reject(await peer.receive())
        for _ in range(3):
            ping = await peer.receive()
            assert (ping.code, ping.mtype) == (EMPTY, CON)
            await peer.reject(ping)
        serving.lamp.emit_event("toggled", True)
        while (message := await peer.receive()).code is EMPTY:
            await peer.reject(message)
        assert message.payload == b"true"
        await peer.acknowledge(message)
    await serving.observers(0)


async def test_a_client_that_never_acknowledges_is_forgotten(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Impatient:
        reliability = True
        ACK_TIMEOUT = 0.02
        ACK_RANDOM_FACTOR = 1.0
        MAX_RETRANSMIT = 2

    monkeypatch.setattr("servient.bindings.coap.endpoint.Reliable", Impatient)
    async with observing(serving, LEVEL) as peer:
        for value in range(10):
            serving.lamp.set_property("level", value)
        messages = [await peer.receive() for _ in range(3)]
        assert len({(m.mid, m.payload) for m in messages}) == 1
        await serving.observers(0)
        assert await peer.is_silent()


async def test_a_client_that_asks_without_confirmation(serving: Serving) -> None:
    with serving.peer() as peer:
        await peer.request(GET, LEVEL, kind=NON, observe=0)
        first = await peer.receive()
        assert (first.mtype, first.payload) == (NON, b"3")
        serving.lamp.set_property("level", 4)
        message = await notification(peer)
        assert message.payload == b"4"


async def test_a_slow_value_comes_in_a_response_of_its_own(serving: Serving) -> None:
    async def read() -> int:
        await asyncio.sleep(0.2)
        return 12

    serving.lamp.set_property_read_handler("level", read)
    with serving.peer() as peer:
        request = await peer.request(GET, LEVEL, observe=0)
        empty = await peer.receive()
        assert (empty.mtype, empty.mid, empty.code) == (ACK, request.mid, 0)
        assert (await notification(peer)).payload == b"12"
        serving.lamp.set_property("level", 13)
        assert (await notification(peer)).payload == b"13"


async def test_a_format_that_is_asked_for_is_kept(serving: Serving) -> None:
    async with observing(serving, LEVEL, accept=JSON) as peer:
        serving.lamp.set_property("level", 7)
        assert (await notification(peer)).opt.content_format == JSON
    async with observing(serving, LEVEL, accept=CBOR) as peer:
        serving.lamp.set_property("level", 9)
        heard = await notification(peer)
        assert (heard.opt.content_format, heard.payload) == (CBOR, b"\x09")
    with serving.peer() as peer:
        assert problem_of(await peer.ask(GET, LEVEL, observe=0, accept=42))[0] == "4.06"


async def test_observers_are_limited(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observation, "OBSERVERS_LIMIT", 2)
    async with observing(serving, LEVEL), observing(serving, LEVEL):
        with serving.peer() as peer:
            assert problem_of(await peer.ask(GET, LEVEL, observe=0))[0] == "5.03"


async def test_stopping_is_told(serving: Serving) -> None:
    async with observing(serving, LEVEL) as peer:
        await serving.servient.shutdown()
        assert problem_of(await peer.receive())[0] == "4.04"


async def test_many_come_and_go(serving: Serving) -> None:
    for _ in range(100):
        async with observing(serving, TOGGLED) as peer:
            await peer.ask(GET, TOGGLED, observe=1)
    await serving.observers(0)
    assert not serving.lamp.publisher._subscriptions
    assert not serving.lamp.publisher._listeners

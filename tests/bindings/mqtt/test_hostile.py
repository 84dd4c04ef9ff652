"""Messages that want to do harm: none does, and the servient answers as before."""

import asyncio
import contextlib
import json
import logging
import struct
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from servient.bindings.mqtt.broker import EmbeddedBroker
from servient.wot.content import Content
from servient.wot.thing import ExposedThing
from tests.bindings.mqtt.serving import PREFIX, Serving, answer_topic, serve, topic
from tests.bindings.mqtt.test_requests import ask, following
from tests.consumers.paho import PahoClient
from tests.things import expose_lamp

DEEP = b"[" * 200_000


@pytest.fixture(autouse=True)
async def still_serving(
    client: PahoClient, serving: Serving, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[None]:
    """After each of these tests: one and the same connection, an answer, no traceback."""
    connection = serving.binding._running.session.connection  # type: ignore[union-attr]
    yield
    assert (await ask(client, "actions/double", b'{"number": 2}')).payload == b"4"
    assert serving.binding._running.session.connection is connection  # type: ignore[union-attr]
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


GARBAGE = [
    b"\x00\xff\xfe garbage",
    b"\xff" * 1000,
    DEEP,
    b'{"number":' + DEEP,
    b'{"number": NaN}',
    b'{"number": 1e999}',
    b'{"number": ' + b"9" * 5000 + b"}",
    b"null",
    b'"\\ud800"',
]


@pytest.mark.parametrize("rest", ["actions/double", "properties/level/write"])
async def test_a_payload_of_garbage_is_refused(client: PahoClient, rest: str) -> None:
    for payload in GARBAGE:
        answer = await ask(client, rest, payload)
        assert json.loads(answer.payload)["status"] == 400, payload[:20]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(payload=st.binary(max_size=200), rest=st.sampled_from(["double", "echo", "invert", "x"]))
def test_random_payloads_are_answered(
    payload: bytes, rest: str, serving: Serving, client: PahoClient
) -> None:
    """Hypothesis runs no coroutines: what it sends is answered by the time the fixture looks."""
    client._client.publish(topic(f"actions/{rest}"), payload, 1)


async def test_other_content_is_refused(client: PahoClient) -> None:
    for media_type in ("image/png", "text/html", "x", "a" * 5000, "application/cbor"):
        answer = await ask(client, "actions/double", b"\x00", ContentType=media_type)
        assert json.loads(answer.payload)["status"] in (400, 415), media_type[:20]


FORBIDDEN = [
    topic("actions/toggle"),
    topic("actions/toggle/x"),
    topic("properties/level/write"),
    topic("properties/level"),
    f"{PREFIX}/status",
    PREFIX,
    "$SYS/broker/uptime",
    "a" * 60_000,
    "/".join("a" * 150),
]


async def test_a_request_whose_answer_would_do_harm_is_not_carried_out(
    client: PahoClient, lamp: ExposedThing
) -> None:
    """The worst would be a request to ourselves: its answer would be the next request."""
    async with client.listening(topic("events/toggled")) as events:
        for to in FORBIDDEN:
            await client.publish(topic("actions/toggle"), ResponseTopic=to)
        await client.publish(topic("actions/toggle"), ResponseTopic=answer_topic())
        assert (await following(events)).payload == b"true"
        await ask(client, "properties/level/read")
        assert events.empty()
        assert await lamp.read_property("level") == 3


async def raw_publish(serving: Serving, topic_name: bytes, properties: bytes, body: bytes) -> None:
    """A PUBLISH of MQTT 5 made by hand, as no library would send it."""

    def string(data: bytes) -> bytes:
        return struct.pack("!H", len(data)) + data

    def packet(kind: int, content: bytes) -> bytes:
        length, rest = bytearray(), len(content)
        while True:
            rest, low = divmod(rest, 128)
            length.append(low | (128 if rest else 0))
            if not rest:
                return bytes([kind]) + bytes(length) + content

    reader, writer = await asyncio.open_connection(serving.broker.host, serving.broker.port)
    writer.write(packet(0x10, string(b"MQTT") + b"\x05\x02\x00\x3c\x00" + string(b"raw")))
    await reader.readexactly(4)
    writer.write(packet(0x30, string(topic_name) + bytes([len(properties)]) + properties + body))
    writer.write(b"\xe0\x00")
    with contextlib.suppress(ConnectionError):  # the broker does not like it
        await reader.read()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


PACKETS = [
    (b"\xff\xfe", b""),
    (topic("actions/").encode() + b"\xc3\x28", b""),
    (topic("actions/toggle").encode(), b"\x08\x00\x03a/+"),
    (topic("actions/toggle").encode(), b"\x08\x00\x01#"),
    (topic("actions/toggle").encode(), b"\x08\x00\x02\xff\xfe"),
    (topic("actions/toggle").encode(), b"\x08\x00\x00"),
    (topic("actions/toggle").encode(), b"\x03\x00\x02\xff\xfe"),
    (topic("actions/toggle").encode(), b"\x08\x00\x01a\x08\x00\x01b"),
    (topic("actions/toggle").encode(), b"\x7f\x01"),
    (topic("actions/toggle").encode(), b"\x01\x01\x02\x00\x00\x00\x01"),
    (topic("properties/level/write/%ff%00").encode(), b""),
    (topic("actions/%ff").encode(), b""),
]


async def test_packets_made_by_hand(serving: Serving) -> None:
    for name, properties in PACKETS:
        await raw_publish(serving, name, properties, b"\xff")


async def test_correlation_data_may_be_large(client: PahoClient) -> None:
    large = bytes(range(256)) * 255
    answer = await ask(client, "actions/toggle", CorrelationData=large)
    assert answer.correlation == large


async def test_names_may_be_anything(client: PahoClient) -> None:
    for rest in ("actions/..%2F..%2Fetc", "actions/" + "a" * 10_000, "actions/%", "actions/ "):
        answer = await ask(client, rest)
        assert json.loads(answer.payload)["status"] == 404


async def test_a_retained_request_is_no_request(
    mosquitto: EmbeddedBroker, client: PahoClient, serving: Serving
) -> None:
    """It would be made again at every start and every reconnection of the servient."""
    other = "wasm-servient/other/things/lamp:1"
    await client.publish(f"{other}/actions/toggle", retain=True)
    async with (
        client.listening(f"{other}/events/toggled") as events,
        serve(mosquitto, prefix="wasm-servient/other") as second,
    ):
        expose_lamp(second.wot)
        await client.publish(f"{other}/actions/toggle")
        assert (await following(events)).payload == b"true"
        assert events.empty()


async def test_an_output_with_an_odd_media_type_is_answered(
    client: PahoClient, lamp: ExposedThing
) -> None:
    """A broker ends the connection over characters that it does not take."""

    async def odd(_: object) -> object:
        return Content(b"x", "text/\x00\x1f\ufffe" * 100)

    lamp.set_action_handler("echo", odd)
    answer = await ask(client, "actions/echo", b"{}")
    assert answer.payload == b"x"
    assert answer.content_type is None

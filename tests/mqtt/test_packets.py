"""PUBLISH as bytes: what we write and read is what paho does, whatever bytes come."""

import random
from typing import Any

import pytest
from paho.mqtt import MQTTException

# Nothing else of paho's reads a packet that no broker has sent.
from paho.mqtt._packet import decode_publish
from paho.mqtt.enums import MQTTProtocolVersion

from servient.mqtt.message import Message
from servient.mqtt.packets import Malformed, parse_publish, to_publish, variable_integer
from tests.fuzz.mutation import change_bytes

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
MESSAGES = (
    Message("a", b"", 0),
    Message("a/b", b"1", 1, True),
    Message(
        "ü/€", bytes(range(256)), 1, False, "text/plain", "c/d", b"\x00\xff", traceparent=TRACE
    ),
    Message("a", b"x" * 200_000, 1, False, "image/png", packet_id=7),
    Message("a", b"", 0, False, None, "", b""),
)
ALIAS = 0x23


def split(packet: bytes) -> tuple[int, bytes]:
    length, at = variable_integer(packet, 1)
    assert len(packet) == at + length
    return packet[0], packet[at:]


def by_paho(first: int, body: bytes, version: int) -> Message:
    read = decode_publish(first, body, MQTTProtocolVersion(version))
    said: Any = read.properties
    trace = dict(getattr(said, "UserProperty", ())).get("traceparent", "")
    return Message(
        read.topic.decode(errors="replace"),
        bytes(read.payload),
        read.qos,
        read.retain,
        getattr(said, "ContentType", None),
        getattr(said, "ResponseTopic", None),
        getattr(said, "CorrelationData", None),
        traceparent=trace,
    )


@pytest.mark.parametrize("message", MESSAGES, ids=range(len(MESSAGES)))
@pytest.mark.parametrize("version", [4, 5])
def test_what_is_written_is_read_by_us_and_by_paho(message: Message, version: int) -> None:
    first, body = split(to_publish(message, 7, version))
    ours = parse_publish(first, body, version)
    assert ours == by_paho(first, body, version)
    assert ours.packet_id == (7 if message.qos else 0)
    if version == 5:
        assert ours == message


def test_whatever_comes_is_read_as_paho_does_or_refused() -> None:
    chance = random.Random(5)
    packets = (split(to_publish(message, 7, 5)) for message in MESSAGES)
    seeds = [bytes((first,)) + body[:500] for first, body in packets]
    seeds.append(
        b"\x33\x00\x01a\x00\x01\x0f\x01\x01\x02\x00\x00\x00\x09\x0b\x81\x01\x03\x00\x01x{}"
    )
    read = 0
    for _ in range(5000):
        data = change_bytes(chance, seeds) or b"\x30"
        first, body, version = data[0], data[1:], chance.choice((4, 5))
        try:
            ours = parse_publish(first, body, version)
        except Malformed:
            continue
        try:
            theirs = by_paho(first, body, version)
        except MQTTException:
            continue  # it minds a property that is there twice, and characters
        read += 1
        assert ours == theirs
    assert read > 500


def test_an_alias_that_we_have_not_allowed_is_refused() -> None:
    with pytest.raises(Malformed, match=str(ALIAS)):
        parse_publish(0x30, b"\x00\x00\x03" + bytes((ALIAS,)) + b"\x00\x01", 5)


def test_what_nobody_has_asked_for_is_refused() -> None:
    with pytest.raises(Malformed, match="exactly once"):
        parse_publish(0x34, b"\x00\x01a\x00\x01\x00", 5)
    with pytest.raises(ValueError, match="exactly once"):
        to_publish(Message("a", qos=2), 1, 5)


@pytest.mark.parametrize("topic", ["", "a/+", "#", "a\0", "\ud800", "x" * 70_000])
def test_a_topic_that_is_none_is_refused(topic: str) -> None:
    with pytest.raises(ValueError, match=r"topic|text|surrogates"):
        to_publish(Message(topic), 1, 5)

"""PUBLISH and PUBACK as bytes, in MQTT 5 and 3.1.1: nearly all that ever is on a connection."""

from collections.abc import Callable
from functools import partial

from servient.mqtt.message import Message

PUBLISH, PUBACK = 3, 4
# Above it, the code of an acknowledgement says why a message is refused (MQTT 5 section 2.4).
FAILURE = 0x80

_CONTENT_TYPE, _RESPONSE_TOPIC, _CORRELATION, _USER_PROPERTY = 0x03, 0x08, 0x09, 0x26
_SUBSCRIPTION_IDENTIFIER = 0x0B
# Bytes of the other properties of a PUBLISH (section 2.2.2.2): format, expiry. An alias is not ours
# to understand: we have allowed none.
_SIZES_BYTES = {0x01: 1, 0x02: 4}
_TRACEPARENT = b"traceparent"
_STRING_LIMIT_BYTES = 65_535
_LENGTH_LIMIT_BYTES = 268_435_455
_LENGTH_DIGITS = 4


class Malformed(ValueError):
    """A packet that a broker may not send."""


def to_publish(message: Message, packet_id: int, version: int) -> bytes:
    """Section 3.3. Without a QoS it has no id. Raises ValueError for what MQTT has no room for."""
    if message.qos > 1:
        raise ValueError("we publish nothing exactly once")
    parts = [_topic(message.topic)]
    if message.qos:
        parts.append(packet_id.to_bytes(2, "big"))
    if version >= 5:
        parts.append(_properties(message))
    parts.append(message.payload)
    length = sum(map(len, parts))
    if length > _LENGTH_LIMIT_BYTES:
        raise ValueError("the message is larger than MQTT knows")
    first = PUBLISH << 4 | message.qos << 1 | message.is_retained
    return b"".join((bytes((first,)), _variable_integer(length), *parts))


def to_puback(packet_id: int) -> bytes:
    return b"\x40\x02" + packet_id.to_bytes(2, "big")


def _topic(name: str) -> bytes:
    if not name:
        raise ValueError("the topic is empty")
    if "+" in name or "#" in name or "\0" in name:
        raise ValueError("the topic is a filter, or has a character that topics may not have")
    return _string(name.encode())


def _properties(message: Message) -> bytes:
    """Section 3.3.2.3."""
    packed = b""
    if message.content_type is not None:
        packed += b"\x03" + _string(message.content_type.encode())
    if message.response_topic is not None:
        packed += b"\x08" + _string(message.response_topic.encode())
    if message.correlation is not None:
        packed += b"\x09" + _string(message.correlation)
    if message.traceparent:
        packed += b"\x26" + _string(_TRACEPARENT) + _string(message.traceparent.encode())
    return _variable_integer(len(packed)) + packed


def _string(data: bytes) -> bytes:
    if len(data) > _STRING_LIMIT_BYTES:
        raise ValueError(f"a text has {len(data)} bytes, and may have {_STRING_LIMIT_BYTES}")
    return len(data).to_bytes(2, "big") + data


def _variable_integer(number: int) -> bytes:
    """Section 1.5.5."""
    if number < 0x80:
        return bytes((number,))
    encoded = bytearray()
    while number:
        number, low = divmod(number, 0x80)
        encoded.append(low | (0x80 if number else 0))
    return bytes(encoded)


def parse_publish(
    flags: int, body: bytes, version: int, acknowledge: Callable[[int], None] | None = None
) -> Message:
    """A packet without its header, whose lower bits are `flags`; the topic's faults are replaced.

    `acknowledge`, if there is one, gets the id of a message that is to be acknowledged when the
    message's own is called. Raises Malformed.
    """
    qos = flags >> 1 & 3
    if qos > 1:
        raise Malformed("a message comes exactly once, which nobody has asked for")
    try:
        topic, at = _take(body, 0)
        packet_id, said = 0, _Said()
        if qos:
            packet_id, at = body[at] << 8 | body[at + 1], at + 2
        if version >= 5:
            at = said.read(body, at)
    except (IndexError, UnicodeDecodeError) as error:
        raise Malformed(f"a message cannot be read: {error}") from error
    message = (topic.decode(errors="replace"), body[at:], qos, bool(flags & 1))
    properties = (said.content_type, said.response_topic, said.correlation, packet_id)
    is_again = bool(flags & 8)
    if not qos or acknowledge is None:
        return Message(*message, *properties, is_again, traceparent=said.traceparent)
    once = partial(acknowledge, packet_id)
    return Message(*message, *properties, is_again, once, traceparent=said.traceparent)


class _Said:
    """The properties that we heed of a message that comes in."""

    __slots__ = ("content_type", "correlation", "response_topic", "traceparent")

    def __init__(self) -> None:
        self.content_type: str | None = None
        self.response_topic: str | None = None
        self.correlation: bytes | None = None
        self.traceparent = ""

    def read(self, body: bytes, at: int) -> int:
        """Returns where they end. Raises Malformed, IndexError and UnicodeDecodeError."""
        length, at = variable_integer(body, at)
        end = at + length
        while at < end:
            at = self._read_one(body, at)
        if at != end or end > len(body):
            raise Malformed("properties go beyond their bounds")
        return at

    def _read_one(self, body: bytes, at: int) -> int:
        kind = body[at]
        at += 1
        if kind == _CORRELATION:
            self.correlation, at = _take(body, at)
        elif kind == _RESPONSE_TOPIC:
            text, at = _take(body, at)
            self.response_topic = text.decode()
        elif kind == _CONTENT_TYPE:
            text, at = _take(body, at)
            self.content_type = text.decode()
        elif kind == _USER_PROPERTY:
            name, at = _take(body, at)
            text, at = _take(body, at)
            if name == _TRACEPARENT:
                self.traceparent = text.decode()
        elif kind == _SUBSCRIPTION_IDENTIFIER:
            _, at = variable_integer(body, at)
        elif kind in _SIZES_BYTES:
            at += _SIZES_BYTES[kind]
        else:
            raise Malformed(f"a message has the property {kind}")
        return at


def _take(body: bytes, at: int) -> tuple[bytes, int]:
    """A text or binary data, which their length goes before. Raises IndexError beyond the end."""
    end = at + 2 + (body[at] << 8 | body[at + 1])
    if end > len(body):
        raise IndexError("a text goes beyond the end")
    return body[at + 2 : end], end


def variable_integer(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """Section 1.5.5: the number and where it ends. Raises Malformed, IndexError beyond the end."""
    number = data[at]
    if number < 0x80:
        return number, at + 1
    number, shift = number & 0x7F, 7
    for place in range(at + 1, at + _LENGTH_DIGITS):
        digit = data[place]
        number |= (digit & 0x7F) << shift
        if digit < 0x80:
            return number, place + 1
        shift += 7
    raise Malformed("a length has more than four bytes")

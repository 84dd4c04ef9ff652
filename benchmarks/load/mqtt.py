"""MQTT requests on one connection (MQTT 5, QoS 0), so many of them under way at a time."""

import collections
import os
import select
import socket
import struct
import time

from benchmarks.load.tally import Load, Tally
from benchmarks.load.targets import MqttTarget

READ_BYTES = 1 << 18
PATIENCE_SECONDS = 10.0
# Messages of QoS 0 may be lost: when nothing has come for so long, the requests are made again.
SILENCE_SECONDS = 2.0
CONNACK, PUBLISH, SUBACK = 0x20, 0x30, 0x90
RESPONSE_TOPIC, CORRELATION_DATA = b"\x08", b"\x09"


def run(target: MqttTarget, concurrency: int, seconds: float) -> Load:
    connected = socket.create_connection((target.host, target.port), PATIENCE_SECONDS)
    with connected:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _subscribe(connected, target.answer_topic)
        tally = Tally()
        connection = Connection(connected, target, tally)
        connection.ask(concurrency)
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            if select.select([connected], [], [], min(left, SILENCE_SECONDS))[0]:
                connection.ask(connection.read())
            elif left > SILENCE_SECONDS:
                tally.lost += connection.forget()
                connection.ask(concurrency)
        return tally.close()


class Connection:
    """Numbers requests, and finds the request of each answer by its Correlation Data or its turn."""

    def __init__(self, connected: socket.socket, target: MqttTarget, tally: Tally) -> None:
        self._socket = connected
        self._buffer = b""
        self._is_answered = target.is_answered
        self._expected = target.expected.encode()
        self._tally = tally
        self._next = 0
        self._asked_at: collections.OrderedDict[int, float] = collections.OrderedDict()
        self._topic = _string(target.topic)
        self._answer_topic = _string(target.answer_topic)
        self._payload = target.payload.encode()

    def ask(self, count: int) -> None:
        now, packets = time.perf_counter(), []
        for _ in range(count):
            self._next += 1
            self._asked_at[self._next] = now
            packets.append(self._request(self._next))
        self._socket.sendall(b"".join(packets))

    def forget(self) -> int:
        count = len(self._asked_at)
        self._asked_at.clear()
        return count

    def read(self) -> int:
        """How many answers came."""
        data = self._socket.recv(READ_BYTES)
        if not data:
            raise ConnectionError("the broker closed the connection")
        self._buffer += data
        at, answers = 0, 0
        while (found := _packet(self._buffer, at)) is not None:
            kind, body, at = found
            if kind & 0xF0 == PUBLISH:
                answers += self._take(body)
        self._buffer = self._buffer[at:]
        return answers

    def _request(self, number: int) -> bytes:
        properties = b"\x00"
        if self._is_answered:
            # 14 bytes and the topic's are less than 128: the length of the properties is one byte.
            said = (
                RESPONSE_TOPIC
                + self._answer_topic
                + CORRELATION_DATA
                + struct.pack("!HI", 4, number)
            )
            properties = bytes((len(said),)) + said
        body = self._topic + properties + self._payload
        return bytes((PUBLISH,)) + _variable_integer(len(body)) + body

    def _take(self, body: bytes) -> bool:
        at = 2 + int.from_bytes(body[:2], "big")
        length = body[at]  # ours have less than 128 bytes of properties, and so do their answers
        properties, payload = body[at + 1 : at + 1 + length], body[at + 1 + length :]
        if self._is_answered:
            where = properties.rfind(CORRELATION_DATA + b"\x00\x04")
            number = int.from_bytes(properties[where + 3 : where + 7], "big")
            asked_at = self._asked_at.pop(number, None)
        else:
            asked_at = self._asked_at.popitem(last=False)[1] if self._asked_at else None
        if asked_at is None:
            return False
        self._tally.count(asked_at, is_right=self._expected in payload)
        return True


def _subscribe(connected: socket.socket, topic: str) -> None:
    client_id = _string(f"load{os.getpid()}")
    body = b"\x00\x04MQTT\x05\x02\x00\x3c\x00" + client_id
    connected.sendall(bytes((0x10,)) + _variable_integer(len(body)) + body)
    body = b"\x00\x01\x00" + _string(topic) + b"\x00"
    connected.sendall(bytes((0x82,)) + _variable_integer(len(body)) + body)
    received, awaited = b"", {CONNACK, SUBACK}
    while awaited:
        data = connected.recv(READ_BYTES)
        if not data:
            raise ConnectionError("the broker closed the connection")
        received, at = received + data, 0
        while (found := _packet(received, at)) is not None:
            kind, _, at = found
            awaited.discard(kind)
        received = received[at:]


def _packet(buffer: bytes, at: int) -> tuple[int, bytes, int] | None:
    """The first byte and body of the packet that begins there, and where it ends (MQTT 5 section 2.1)."""
    length, shift, place = 0, 0, at + 1
    while place < len(buffer):
        byte = buffer[place]
        length |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            end = place + length
            return (buffer[at], buffer[place:end], end) if len(buffer) >= end else None
    return None


def _string(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def _variable_integer(number: int) -> bytes:
    encoded = bytearray()
    while True:
        number, low = divmod(number, 128)
        encoded.append(low | (128 if number else 0))
        if not number:
            return bytes(encoded)

"""WebSocket messages on one connection, so many of them under way at a time."""

import base64
import json
import os
import select
import socket
import time
from typing import Any

from benchmarks.load.tally import Load, Tally
from benchmarks.load.targets import WebSocketTarget

FIRST_NUMBER = 100_000_000  # all of the same length
READ_BYTES = 1 << 18
PATIENCE_SECONDS = 10.0
TEXT_FRAME, PING, CLOSE = 0x81, 0x9, 0x8
# Masked with zeros, a payload stays what it is: masks protect proxies, of which there are none here.
MASK = bytes(4)


def run(target: WebSocketTarget, concurrency: int, seconds: float) -> Load:
    connected, rest = _connect(target)
    with connected:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tally = Tally()
        connection = Connection(connected, rest, target, tally)
        connection.ask(concurrency)
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            if select.select([connected], [], [], left)[0]:
                connection.ask(connection.read())
        return tally.close()


class Connection:
    """Numbers requests, and finds in each answer the number of its own."""

    def __init__(
        self, connected: socket.socket, rest: bytes, target: WebSocketTarget, tally: Tally
    ) -> None:
        self._socket = connected
        self._buffer = rest
        self._message = target.message
        self._number_at = target.number.split(".")
        self._value_at = target.value.split(".")
        self._expected = target.expected
        self._tally = tally
        self._next = FIRST_NUMBER
        self._asked_at: dict[int, float] = {}

    def ask(self, count: int) -> None:
        """Send so many requests at once, as a client that pipelines does."""
        now, frames = time.perf_counter(), []
        for _ in range(count):
            self._next += 1
            self._asked_at[self._next] = now
            frames.append(_frame((self._message % self._next).encode()))
        self._socket.sendall(b"".join(frames))

    def read(self) -> int:
        """How many answers came."""
        data = self._socket.recv(READ_BYTES)
        if not data:
            raise ConnectionError("the server closed the connection")
        self._buffer += data
        at, answers = 0, 0
        while (found := _payload(self._buffer, at)) is not None:
            code, payload, at = found
            if code == CLOSE:
                raise ConnectionError(f"the server closed the connection: {payload!r}")
            if code != PING:
                answers += self._take(json.loads(payload))
        self._buffer = self._buffer[at:]
        return answers

    def _take(self, answer: dict[str, Any]) -> bool:
        asked_at = self._asked_at.pop(int(_member(answer, self._number_at) or 0), None)
        if asked_at is None:
            return False
        is_right = _member(answer, self._value_at) == self._expected
        self._tally.count(asked_at, is_right=is_right)
        return True


def _member(document: Any, path: list[str]) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _frame(payload: bytes) -> bytes:
    """RFC 6455 section 5.2."""
    if len(payload) < 126:
        return bytes((TEXT_FRAME, 0x80 | len(payload))) + MASK + payload
    return bytes((TEXT_FRAME, 0xFE)) + len(payload).to_bytes(2, "big") + MASK + payload


def _payload(buffer: bytes, at: int) -> tuple[int, bytes, int] | None:
    """The code and payload of the frame that begins there, and where it ends; None while it comes."""
    if len(buffer) < at + 4:
        return None
    length, begin = buffer[at + 1] & 0x7F, at + 2
    if length == 126:
        length, begin = int.from_bytes(buffer[begin : begin + 2], "big"), begin + 2
    end = begin + length
    return (buffer[at] & 0xF, buffer[begin:end], end) if len(buffer) >= end else None


def _connect(target: WebSocketTarget) -> tuple[socket.socket, bytes]:
    """Shake hands; returns the socket and what came after the head."""
    connected = socket.create_connection((target.host, target.port), PATIENCE_SECONDS)
    key = base64.b64encode(os.urandom(16)).decode()
    subprotocol = f"Sec-WebSocket-Protocol: {target.subprotocol}\r\n" if target.subprotocol else ""
    head = (
        f"GET {target.path} HTTP/1.1\r\nHost: {target.host}:{target.port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        f"{subprotocol}\r\n"
    )
    connected.sendall(head.encode())
    received = b""
    while b"\r\n\r\n" not in received:
        more = connected.recv(READ_BYTES)
        if not more:
            raise ConnectionError("the server closed the connection")
        received += more
    answer, _, rest = received.partition(b"\r\n\r\n")
    if b" 101 " not in answer.split(b"\r\n")[0]:
        raise ConnectionError(answer.decode(errors="replace"))
    return connected, rest

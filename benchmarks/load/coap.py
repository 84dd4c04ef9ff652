"""Confirmable CoAP requests of many clients, each with a port of its own and one request under way."""

import os
import select
import socket
import time

from benchmarks.load.tally import Load, Tally
from benchmarks.load.targets import CoapTarget

RETRY_SECONDS = 2.0
# The Message IDs of one port come round after 65,536: a server takes them for duplicates then.
MESSAGES_PER_PORT = 60_000
CONFIRMABLE, SUCCESS_CLASS = 0, 2
URI_PATH, CONTENT_FORMAT, URI_QUERY, JSON = 11, 12, 15, b"\x32"


def run(target: CoapTarget, concurrency: int, seconds: float) -> Load:
    rest = _options(target)
    expected = b"\xff" + target.expected.encode()
    clients: dict[int, Client] = {}
    with select.epoll() as poll:
        tally = Tally()

        def begin() -> None:
            client = Client(target, rest, expected, tally)
            clients[client.fileno()] = client
            poll.register(client.fileno(), select.EPOLLIN)

        for _ in range(concurrency):
            begin()
        until = time.perf_counter() + seconds
        look_at = 0.0
        while (now := time.perf_counter()) < until:
            for number, _ in poll.poll(min(until - now, RETRY_SECONDS)):
                client = clients[number]
                client.read()
                if client.is_worn:
                    poll.unregister(number)
                    clients.pop(number).close()
                    begin()
            if now > look_at:
                look_at = now + RETRY_SECONDS
                for client in clients.values():
                    client.retry(now)
        load = tally.close()
    for client in clients.values():
        client.close()
    return load


class Client:
    """One UDP socket; Message IDs in sequence (random ones collide)."""

    def __init__(self, target: CoapTarget, rest: bytes, expected: bytes, tally: Tally) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect((target.host, target.port))
        self._socket.setblocking(False)
        self._head = bytes((0x44, target.code))
        self._rest = rest
        self._expected = expected
        self._tally = tally
        self._token = os.urandom(4)
        self._number = int.from_bytes(os.urandom(2), "big")
        self._sent = 0
        self._send_next()

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def is_worn(self) -> bool:
        return self._sent >= MESSAGES_PER_PORT

    def read(self) -> None:
        """One answer: in the acknowledgement, or apart from it and to be acknowledged itself."""
        try:
            data = self._socket.recv(2048)
        except OSError:
            return
        kind, code = data[0] >> 4 & 3, data[1]
        if kind == CONFIRMABLE:
            self._socket.send(bytes((0x60, 0)) + data[2:4])
        if code == 0 or data[4:8] != self._token:
            return
        is_right = code >> 5 == SUCCESS_CLASS and data.endswith(self._expected)
        self._tally.count(self._asked_at, is_right=is_right)
        self._send_next()

    def retry(self, now: float) -> None:
        if now - self._asked_at > RETRY_SECONDS:
            self._tally.lost += 1
            self._socket.send(self._request)

    def close(self) -> None:
        self._socket.close()

    def _send_next(self) -> None:
        self._number = (self._number + 1) & 0xFFFF
        self._sent += 1
        self._token = (int.from_bytes(self._token, "big") + 1 & 0xFFFFFFFF).to_bytes(4, "big")
        self._request = self._head + self._number.to_bytes(2, "big") + self._token + self._rest
        self._asked_at = time.perf_counter()
        self._socket.send(self._request)


def _options(target: CoapTarget) -> bytes:
    """All that follows the token (RFC 7252 section 3.1)."""
    options = [(URI_PATH, segment.encode()) for segment in target.path]
    if target.payload:
        options.append((CONTENT_FORMAT, JSON))
    options += [(URI_QUERY, part.encode()) for part in target.query]
    encoded, last = b"", 0
    for number, value in options:
        length = len(value)
        short, more = (length, b"") if length < 13 else (13, bytes((length - 13,)))
        encoded += bytes(((number - last) << 4 | short,)) + more + value
        last = number
    return encoded + (b"\xff" + target.payload.encode() if target.payload else b"")

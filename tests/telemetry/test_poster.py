"""A client for one purpose meets servers of all kinds."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from servient.telemetry.poster import RESPONSE_LIMIT_BYTES, Poster

DEADLINE_SECONDS = 20.0
OK = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Peer:
    """Answers each request with what `answers` have next, the last one for ever."""

    answers: list[bytes]
    closes: Callable[[int], bool] = lambda number: False
    origin: str = ""
    connections: int = 0
    requests: list[tuple[str, bytes]] = field(default_factory=list)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                begin = await reader.readexactly(4)
                if begin != b"POST":
                    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    return
                head = (begin + await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(head.partition("Content-Length: ")[2].partition("\r\n")[0])
                self.requests.append((head, await reader.readexactly(length)))
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                writer.write(answer)
                await writer.drain()
                if self.closes(len(self.requests)):
                    return
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client, or the test, is done
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def peering(*answers: bytes, closes: bool = False) -> AsyncIterator[tuple[Peer, Poster]]:
    peer = Peer(list(answers), lambda _: closes)
    server = await asyncio.start_server(peer.handle, "127.0.0.1", 0)
    peer.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    poster = Poster(timeout_seconds=DEADLINE_SECONDS)
    try:
        yield peer, poster
    finally:
        await poster.close()
        server.close()


async def test_all_go_over_one_connection() -> None:
    async with peering(OK) as (peer, poster):
        for number in range(5):
            assert await poster.post(f"{peer.origin}/logs", b"a=%d" % number) == 201
    assert peer.connections == 1
    assert [body for _, body in peer.requests] == [b"a=%d" % number for number in range(5)]
    head = peer.requests[0][0]
    assert head.startswith("POST /logs HTTP/1.1\r\n")
    assert f"Host: {peer.origin.removeprefix('http://')}\r\n" in head
    assert "Content-Type: application/x-www-form-urlencoded\r\n" in head


async def test_one_that_closes_what_is_idle_is_asked_again() -> None:
    async with peering(OK, closes=True) as (peer, poster):
        for _ in range(3):
            assert await poster.post(peer.origin, b"a=1") == 201
    assert peer.connections == len(peer.requests) == 3


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", 200),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 500),
        (b"HTTP/1.0 404 Not Found\r\nContent-Length: 1\r\n\r\nx", 404),
    ],
)
async def test_answers_of_all_kinds(answer: bytes, status: int) -> None:
    async with peering(answer) as (peer, poster):
        assert await poster.post(peer.origin, b"a=1") == status
        assert await poster.post(peer.origin, b"a=2") == status


async def test_an_answer_of_no_stated_length() -> None:
    async with peering(b"HTTP/1.1 200 OK\r\n\r\nsome", closes=True) as (peer, poster):
        assert await poster.post(peer.origin, b"a=1") == 200
        assert await poster.post(peer.origin, b"a=2") == 200


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + bytes(RESPONSE_LIMIT_BYTES + 1),
    ],
)
async def test_what_is_no_answer_fails_and_is_forgotten(answer: bytes) -> None:
    async with peering(answer, OK) as (peer, poster):
        with pytest.raises(OSError, match="its answer is"):
            await poster.post(peer.origin, b"a=1")
        assert await poster.post(peer.origin, b"a=2") == 201
    assert peer.connections == 2


async def test_nobody_there() -> None:
    async with peering(OK) as (peer, _):
        pass
    with pytest.raises(OSError, match=r"refused|failed"):
        await Poster(DEADLINE_SECONDS).post(peer.origin, b"a=1")
    with pytest.raises(OSError):
        await Poster(DEADLINE_SECONDS).post("http://nowhere.invalid", b"a=1")


async def test_one_that_does_not_answer_is_given_up() -> None:
    async with peering(b"", OK) as (peer, _):
        poster = Poster(timeout_seconds=0.1)
        with pytest.raises(TimeoutError):
            await poster.post(peer.origin, b"a=1")
        poster = Poster(DEADLINE_SECONDS)
        assert await poster.post(peer.origin, b"a=2") == 201
        await poster.close()


async def test_credentials() -> None:
    async with peering(OK) as (peer, poster):
        url = peer.origin.replace("http://", "http://user:p%40ss@")
        assert await poster.post(url, b"a=1") == 201
    head = peer.requests[0][0]
    assert "Authorization: Basic dXNlcjpwQHNz\r\n" in head
    assert "user:" not in head


async def test_a_server_of_http_is_none_of_https() -> None:
    async with peering(OK) as (peer, poster):
        with pytest.raises(OSError):
            await poster.post(peer.origin.replace("http:", "https:"), b"a=1")

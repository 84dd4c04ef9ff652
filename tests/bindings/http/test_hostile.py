"""What a client may send that is no request, or one that wants to do harm."""

import asyncio
import json
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from servient.bindings.http.protocol import Limits
from servient.wot.content import Content
from tests.bindings.http.serving import DEADLINE_SECONDS, LAMP, Serving, serve

LEVEL = f"{LAMP}/properties/level"
DOUBLE = f"{LAMP}/actions/double"


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


async def lives(serving: Serving) -> bool:
    return (await serving.get(LEVEL)).status_code == 200


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x00\x01\x02\xff\xfe" * 100 + b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a TLS client
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT host:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ],
)
async def test_what_is_no_request_is_refused(serving: Serving, request_bytes: bytes) -> None:
    answer = await serving.raw(request_bytes)
    assert status_of(answer) in (0, 400), answer
    assert await lives(serving)


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/things/%00", 400),
        ("/things/%0d%0aX-Evil:%201", 400),
        ("/things/%ff%fe", 400),
        ("*", 404),
        ("/things/%zz", 404),
        ("/things/%", 404),
        ("/things/../../etc/passwd", 404),
        ("/things/%2e%2e/%2e%2e/etc/passwd", 404),
        ("/things/lamp%3A1%2Fproperties%2Flevel", 404),
        ("/things/" + "a" * 10_000, 404),
        ("/" * 5_000, 404),
        ("//things/lamp:1", 200),
        ("///things/lamp:1/properties/level", 200),
        ("http://elsewhere.example/things/lamp:1", 200),
        (f"{LEVEL}?a=%00&&==&%ff", 200),
    ],
)
async def test_paths_of_all_kinds(serving: Serving, target: str, status: int) -> None:
    request = f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = await serving.raw(request.encode())
    assert status_of(answer) == status
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"x-evil" not in head.lower()
    assert json.loads(body) is not None


async def test_an_upgrade_is_answered_as_a_request(serving: Serving) -> None:
    answer = await serving.raw(
        f"GET {LEVEL} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Key: x\r\n\r\n".encode(),
        is_finished=True,
    )
    assert status_of(answer) == 200
    assert await lives(serving)


async def test_headers_are_limited() -> None:
    async with serve(limits=Limits(head_limit_bytes=10_000)) as serving:
        start = f"GET {LEVEL} HTTP/1.1\r\n".encode()
        for endless in (
            b"X: " + b"a" * 1_000_000,
            b"".join(b"X%d: y\r\n" % n for n in range(90_000)),
        ):
            assert status_of(await serving.raw(start + endless)) in (0, 431)
        assert status_of(await serving.raw(b"GET /" + b"a" * 1_000_000)) in (0, 431)
        assert await lives(serving)


async def test_a_body_that_is_declared_too_large_is_not_waited_for(serving: Serving) -> None:
    head = f"POST {DOUBLE} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", serving.binding.port)
    writer.write(head.encode())
    async with asyncio.timeout(DEADLINE_SECONDS):
        assert status_of(await reader.readuntil(b"\r\n\r\n")) == 413
    writer.close()


async def test_an_endless_body_is_cut_off() -> None:
    async with serve(body_limit_bytes=100_000, limits=Limits(drain_seconds=0.1)) as serving:
        _, writer = await asyncio.open_connection("127.0.0.1", serving.binding.port)
        writer.write(f"POST {DOUBLE} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode())

        async def send() -> None:
            while True:
                writer.write(b"1000\r\n" + b"a" * 4096 + b"\r\n")
                await writer.drain()

        async with asyncio.timeout(DEADLINE_SECONDS):
            with pytest.raises(ConnectionError):
                await send()
        writer.close()
        assert await lives(serving)


async def test_silence_is_ended() -> None:
    async with serve(limits=Limits(silence_seconds=0.1, drain_seconds=0.1)) as serving:
        for beginning in (
            b"",
            b"\r\n",
            b"GET /th",
            f"POST {DOUBLE} HTTP/1.1\r\nContent-Length: 9\r\n\r\n1".encode(),
            f"GET {LEVEL} HTTP/1.1\r\n\r\nGET /th".encode(),
            b"POST /nothing HTTP/1.1\r\nContent-Length: 9\r\n\r\n1",
        ):
            await serving.raw(beginning)  # returns when the servient closes
        assert await lives(serving)


async def test_connections_are_limited() -> None:
    async with serve(limits=Limits(connections_limit=3)) as serving:
        port = serving.binding.port
        kept = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        await asyncio.sleep(0)
        assert await serving.raw(f"GET {LEVEL} HTTP/1.1\r\n\r\n".encode()) == b""
        for _, writer in kept:
            writer.close()
        while not (await serving.raw(f"GET {LEVEL} HTTP/1.0\r\n\r\n".encode())):
            await asyncio.sleep(0.01)


async def test_pipelined_requests_are_answered_in_order(serving: Serving) -> None:
    requests = b"".join(
        b"POST %b HTTP/1.1\r\nContent-Length: %d\r\n%b\r\n%b"
        % (DOUBLE.encode(), len(body), b"Connection: close\r\n" if n == 49 else b"", body)
        for n in range(50)
        for body in [b'{"number":%d}' % n]
    )
    answers = (await serving.raw(requests)).split(b"HTTP/1.1 200 OK")[1:]
    assert [int(answer.rpartition(b"\r\n")[2]) for answer in answers] == [2 * n for n in range(50)]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
async def test_no_bytes_are_a_fault_of_ours(serving: Serving, data: st.DataObject) -> None:
    method = data.draw(st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH"]))
    path = data.draw(
        st.sampled_from(
            [LEVEL, DOUBLE, f"{LAMP}/actions/echo", f"{LAMP}/actions/invert", "/things"]
        )
        | st.text(st.characters(min_codepoint=33, max_codepoint=126)).map("/".__add__)
    )
    media_type = data.draw(
        st.sampled_from(["application/json", "image/png", "multipart/form-data; boundary=b", "a/b"])
    )
    body = data.draw(
        st.binary(max_size=200)
        | st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["number", "image", "a"]), inner, max_size=3)
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode())
    )
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    answer = await serving.raw(head.encode() + body)
    assert status_of(answer) in (0, *range(200, 500)) or b"negative numbers" in answer, answer


async def test_a_client_that_does_not_read_is_disconnected() -> None:
    """One that reads slowly is not: whatever it takes shows that it is there."""
    async with serve(limits=Limits(stall_seconds=0.2)) as serving:
        head = f"GET {LAMP}/properties/settings/observe HTTP/1.1\r\nHost: x\r\n"
        head += "Accept: text/event-stream\r\n\r\n"
        with socket.socket() as stalled:
            stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stalled.connect(("127.0.0.1", serving.binding.port))
            stalled.sendall(head.encode())
            publisher = serving.lamp.publisher
            async with asyncio.timeout(DEADLINE_SECONDS):
                while len(publisher._subscriptions) < 2:  # itself, and what is kept for its return
                    await asyncio.sleep(0.01)
                while len(publisher._subscriptions) > 1:
                    serving.lamp.set_property("settings", {"error": "x" * 100_000})
                    await asyncio.sleep(0.001)
        assert await lives(serving)


async def test_a_client_that_reads_slowly_gets_all() -> None:
    async with serve(limits=Limits(stall_seconds=0.2)) as serving:
        serving.lamp.set_property("picture", Content(bytes(20 * 2**20), "image/png"))
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", serving.binding.port, limit=4096
        )
        writer.write(f"GET {LAMP}/properties/picture HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(10):
            await reader.readexactly(2**20)
            await asyncio.sleep(0.1)
        await reader.readexactly(10 * 2**20)
        writer.close()
        assert await lives(serving)

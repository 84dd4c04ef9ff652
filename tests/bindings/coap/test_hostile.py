"""Datagrams that nobody should send: they are refused or ignored, without a word in the log."""

import logging
import random
import struct
from collections.abc import AsyncIterator

import pytest
from aiocoap import GET, POST
from aiocoap.numbers.contentformat import ContentFormat
from aiocoap.numbers.optionnumbers import OptionNumber

from tests.bindings.coap.serving import JSON, LAMP, NON, RawPeer, Serving, problem_of, serve

LEVEL = f"{LAMP}/properties/level"
ECHO = f"{LAMP}/actions/echo"
GET_HEADER = b"\x40\x01"
NON_GET_HEADER = b"\x50\x01"


@pytest.fixture
async def serving(caplog: pytest.LogCaptureFixture) -> AsyncIterator[Serving]:
    """At the end it still answers, nothing waits for anybody, and the log is clean."""
    with caplog.at_level(logging.INFO):
        async with serve(body_limit_bytes=100_000) as running:
            yield running
            response = await running.ask(GET, LEVEL)
            assert response.payload == b"3"
            await running.observers(0)
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING] == []


async def drain(peer: RawPeer) -> None:
    """Take in what came back."""
    await peer.send_bytes(b"\x40\x00\xff\xf0")
    while (await peer.receive()).mid != 0xFFF0:
        pass


async def test_noise(serving: Serving) -> None:
    with serving.peer() as peer:
        for seed in range(2000):
            noise = random.Random(seed)
            await peer.send_bytes(noise.randbytes(noise.randrange(64)))
        await drain(peer)


async def test_noise_behind_a_valid_header(serving: Serving) -> None:
    with serving.peer() as peer:
        for seed in range(3000):
            noise = random.Random(seed)
            header = struct.pack(
                "!BBH",
                0x40 | noise.randrange(4) << 4 | noise.randrange(9),
                noise.choice((0, 1, 2, 3, 4, 5, 69, 132, 160, 225, 255)),
                noise.randrange(65536),
            )
            await peer.send_bytes(header + noise.randbytes(noise.randrange(80)))
            if seed % 50 == 0:
                await drain(peer)
        await drain(peer)


async def test_mutilated_requests(serving: Serving) -> None:
    """Valid requests with bytes changed, cut off and put in."""
    with serving.peer() as peer:
        valid = await peer.request(POST, ECHO, payload=b"{}", content_format=JSON, observe=0)
        await peer.receive()
        template = valid.encode()
        for seed in range(3000):
            noise = random.Random(seed)
            data = bytearray(template)
            data[2:4] = noise.randbytes(2)
            for _ in range(noise.randrange(1, 4)):
                data[noise.randrange(4, len(data))] = noise.randrange(256)
            await peer.send_bytes(bytes(data[: noise.randrange(4, len(data) + 1)]))
            if seed % 50 == 0:
                await drain(peer)
        await drain(peer)


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\x40",
        b"\x40\x01\x00",
        b"\x00\x01\x00\x01",  # version 0
        b"\x80\x01\x00\x01",  # version 2
        b"\xc0\x01\x00\x01",  # version 3
        b"\x49\x01\x00\x01" + b"t" * 9,  # a token of nine bytes
        b"\x4f\x01\x00\x01" + b"t" * 15,
        b"\x48\x01\x00\x01tt",  # a token that is cut off
        b"\x40\x00\x00\x01x",  # an empty message that is not empty
        GET_HEADER + b"\x00\x02\xff",  # a payload marker without payload
        GET_HEADER + b"\x00\x03\xf0",  # reserved lengths
        GET_HEADER + b"\x00\x04\x0f",
        GET_HEADER + b"\x00\x05\xbd",  # an extended length that is cut off
        GET_HEADER + b"\x00\x06\xe0\x00",
        GET_HEADER + b"\x00\x07\xb5abc",  # a value that is cut off
        GET_HEADER + b"\x00\x08" + b"\xe0\xff\xff" * 3,  # an option number over 65535
        b"\x60\x01\x00\x09",  # a request as an acknowledgement
        b"\x70\x01\x00\x0a",  # and as a reset
        b"\x60\x45\x00\x0b\xff3",  # a response that nobody waits for
        b"\x50\x45\x00\x0c\xff3",
        b"\x50\x00\x00\x0d",  # an empty message without confirmation
        b"\x70\x00\x00\x0e",
        b"\x40\xe1\x00\x0f",  # a signal, which is for TCP
        b"\x40\x1f\x00\x10"[:3],
        NON_GET_HEADER + b"\x00\x11\xd1\xf4x",  # a critical option, without confirmation
    ],
)
async def test_what_is_ignored(serving: Serving, datagram: bytes) -> None:
    with serving.peer() as peer:
        await peer.send_bytes(datagram)
        assert await peer.is_silent()


async def test_an_unexpected_response_is_rejected(serving: Serving) -> None:
    with serving.peer() as peer:
        await peer.send_bytes(b"\x40\x45\x12\x34\xff3")
        response = await peer.receive()
        assert (response.mtype, response.mid) == (3, 0x1234)


@pytest.mark.parametrize("number", [9, 13, 65, 257, 2049, 65001])
async def test_a_critical_option_that_is_unknown(serving: Serving, number: int) -> None:
    with serving.peer() as peer:
        await peer.send_bytes(b"\x40\x01\x00\x01" + _plain_option(number, b"x"))
        code, problem = problem_of(await peer.receive())
        assert code == "4.02"
        assert str(number) in problem["detail"]


@pytest.mark.parametrize("number", [2, 64, 258, 2048, 65000])
async def test_an_elective_option_that_is_unknown(serving: Serving, number: int) -> None:
    before = _plain_option(2, b"x") if number == 2 else b""
    path = b"".join(
        _plain_option((11 - 2 * bool(before)) * (not n), s) for n, s in enumerate(_segments(LEVEL))
    )
    after = _plain_option(number - 11, b"x") if number > 11 else b""
    with serving.peer() as peer:
        await peer.send_bytes(b"\x40\x01\x00\x01" + before + path + after)
        assert (await peer.receive()).payload == b"3"


def _segments(path: str) -> list[bytes]:
    return [segment.encode() for segment in path.split("/")[1:]]


def _plain_option(delta: int, value: bytes) -> bytes:
    """An option with a value of less than 13 bytes."""
    if delta < 13:
        return bytes([delta << 4 | len(value)]) + value
    if delta < 269:
        return bytes([13 << 4 | len(value), delta - 13]) + value
    return bytes([14 << 4 | len(value)]) + struct.pack("!H", delta - 269) + value


async def test_a_path_that_is_not_utf8(serving: Serving) -> None:
    with serving.peer() as peer:
        await peer.send_bytes(b"\x40\x01\x00\x01\xb2\xff\xfe")
        assert problem_of(await peer.receive())[0] == "4.02"


async def test_options_twice_and_options_too_long(serving: Serving) -> None:
    with serving.peer() as peer:
        await peer.send_bytes(b"\x40\x01\x00\x01\xd1\x04\x32\x01\x32")  # Accept twice
        assert problem_of(await peer.receive())[0] == "4.02"
        await peer.send_bytes(b"\x40\x01\x00\x02\xd4\x04\x00\x00\x00\x32")  # Accept of 4 bytes
        assert problem_of(await peer.receive())[0] == "4.02"


@pytest.mark.parametrize(
    "name", ["x" * 10_000, "x" * 60_000, "../../etc/passwd", "\x00", "%2e%2e", "a b", "☃" * 80, ""]
)
async def test_names(serving: Serving, name: str) -> None:
    with serving.peer() as peer:
        for path in (f"{LAMP}/properties/", "/things/", f"{LAMP}/", "/"):
            request = await peer.request(GET, path)
            await peer.receive()
            request.mid += 1000
            request.opt.uri_path = [*path.split("/")[1:-1], name]
            await peer.send(request)
            code, problem = problem_of(await peer.receive())
            assert code == "4.04"
            assert len(problem["detail"]) < 1000


async def test_many_segments(serving: Serving) -> None:
    with serving.peer() as peer:
        assert problem_of(await peer.ask(GET, "/x" * 10_000))[0] == "4.04"
        assert problem_of(await peer.ask(GET, "/" * 10_000))[0] == "4.04"


@pytest.mark.parametrize("path", [ECHO, f"{LAMP}/actions/double", f"{LAMP}/actions/invert"])
async def test_deep_json(serving: Serving, path: str) -> None:
    for depth in (200, 900, 990, 995, 1000, 15_000):
        for body in (b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth):
            response = await serving.ask(POST, path, body)
            assert response.code.dotted in ("2.04", "4.00", "5.00")


@pytest.mark.parametrize(
    "body",
    [
        b"nul",
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"\x00",
        b'"\xff"',
        b'{"a":1,}',
        b"9" * 5000,
        b"[]" * 9,
    ],
)
async def test_what_is_no_json(serving: Serving, body: bytes) -> None:
    assert problem_of(await serving.ask(POST, ECHO, body))[0] == "4.00"


async def test_observing_what_is_an_action(serving: Serving) -> None:
    with serving.peer() as peer:
        response = await peer.ask(POST, ECHO, observe=0, payload=b"{}", content_format=JSON)
        assert (response.code.dotted, response.opt.observe) == ("2.04", None)
        for observe in (0, 1, 2, 0xFFFFFF):
            assert problem_of(await peer.ask(GET, ECHO, observe=observe))[0] == "4.05"


async def test_numbers_are_not_kept_for_ever(serving: Serving) -> None:
    """aiocoap's enumerations grow by each number that they are asked for."""
    before = len(ContentFormat._value2member_map_), len(OptionNumber._value2member_map_)
    with serving.peer() as peer:
        for number in range(30_000, 30_500):
            path = b"\xb1x"
            header = b"\x50\x02" + struct.pack("!H", number)
            content_format = b"\x12" + struct.pack("!H", number)
            await peer.send_bytes(header + path + content_format + b"\xff1")
            await peer.send_bytes(header + path + b"\xe1" + struct.pack("!H", number) + b"x\xff1")
        await drain(peer)
    assert (len(ContentFormat._value2member_map_), len(OptionNumber._value2member_map_)) == before


async def test_acknowledgements_of_nothing(serving: Serving) -> None:
    with serving.peer() as peer:
        await peer.ask(GET, LEVEL, observe=0)
        for number in range(0, 65536, 97):
            await peer.send_bytes(struct.pack("!BBH", 0x60, 0, number))
            await peer.send_bytes(struct.pack("!BBH", 0x70, 0, number))
        await drain(peer)
        await peer.request(GET, LEVEL, observe=1, kind=NON)
        assert (await peer.receive()).payload == b"3"

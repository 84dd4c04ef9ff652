"""The socket below a connection: what comes in pieces, and what goes out together."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from servient.mqtt.wire import FULL_BYTES, LINGER_SECONDS, Wire

DEADLINE_SECONDS = 20.0


class End:
    """A wire, and the other end of its socket."""

    def __init__(self) -> None:
        ours, self.theirs = socket.socketpair()
        ours.setblocking(False)
        self.theirs.setblocking(False)
        self.packets: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()
        self.room = asyncio.Event()
        self.reasons: list[str] = []
        self.wire = Wire(ours, self.take, self.room.set, self.reasons.append)
        self.wire.open()

    def take(self, first: int, body: bytes) -> None:
        if first == 0xFF:
            raise LookupError("no such packet")
        self.packets.put_nowait((first, body))

    async def say(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.theirs, data)

    async def hear(self) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self.theirs, 1 << 20)

    async def next(self) -> tuple[int, bytes]:
        return await asyncio.wait_for(self.packets.get(), DEADLINE_SECONDS)

    async def ended(self) -> str:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not self.reasons:
                await asyncio.sleep(0.001)
        return self.reasons[0]


@pytest.fixture
async def end() -> AsyncIterator[End]:
    made = End()
    yield made
    made.wire.end("over")
    made.theirs.close()
    assert len(made.reasons) == 1


async def test_packets_come_whole_however_their_bytes_do(end: End) -> None:
    large = b"\x30\x80\x80\x10" + bytes(16 * 2**14)
    for byte in b"\x20\x02ab":
        await end.say(bytes((byte,)))
        await asyncio.sleep(0)
    await end.say(b"\xd0\x00\x30\x01x" + large[:5])
    await end.say(large[5:] + b"\x40\x02\x00\x01")
    got = [await end.next() for _ in range(5)]
    assert got == [
        (0x20, b"ab"),
        (0xD0, b""),
        (0x30, b"x"),
        (0x30, large[4:]),
        (0x40, b"\x00\x01"),
    ]


@pytest.mark.parametrize("data", [b"\x30\xff\xff\xff\xff\x01", b"\xff\x00"])
async def test_what_cannot_be_read_ends_it(end: End, data: bytes) -> None:
    await end.say(b"\x30\x01x" + data)
    assert "malformed" in await end.ended()
    assert await end.next() == (0x30, b"x")
    assert await end.hear() == b""


async def test_an_end_of_the_other_side_is_noticed(end: End) -> None:
    end.theirs.shutdown(socket.SHUT_WR)
    assert await end.ended() == "the broker closed the connection"
    end.wire.write(b"nobody hears it")


async def test_what_is_written_in_one_turn_goes_out_together(end: End) -> None:
    for byte in (b"a", b"b", b"c"):
        end.wire.write(byte)
    assert await end.hear() == b"abc"


async def test_what_can_wait_goes_out_with_what_cannot_or_by_itself(end: End) -> None:
    end.wire.write(b"a", can_wait=True)
    assert await end.hear() == b"a"  # nothing was sent lately
    end.wire.write(b"b", can_wait=True)
    end.wire.write(b"c")
    assert await end.hear() == b"bc"
    end.wire.write(b"d", can_wait=True)
    await asyncio.sleep(LINGER_SECONDS / 1000)
    end.wire.write(b"e", can_wait=True)
    heard = b""
    while len(heard) < 2:
        heard += await end.hear()
    assert heard == b"de"


async def test_what_a_socket_does_not_take_waits_and_says_so(end: End) -> None:
    chunks = [bytes((number,)) * FULL_BYTES for number in range(4)]
    for chunk in chunks:
        end.wire.write(chunk)
    await asyncio.sleep(0)
    assert end.wire.is_full
    heard = bytearray()
    async with asyncio.timeout(DEADLINE_SECONDS):
        while len(heard) < 4 * FULL_BYTES:
            heard += await end.hear()
    assert heard == b"".join(chunks)
    await asyncio.wait_for(end.room.wait(), DEADLINE_SECONDS)
    assert not end.wire.is_full

"""Frames as another library writes them, in whatever pieces they come."""

import random

import pytest
from websockets.frames import Frame, Opcode

from servient.bindings.websocket.frames import BrokenFrame, Frames, Message, TooBig, text_header
from tests.fuzz.mutation import change_bytes

LIMIT_BYTES = 100_000
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9


def written(opcode: int, data: bytes, *, fin: bool = True, mask: bool = True) -> bytes:
    return Frame(Opcode(opcode), data, fin).serialize(mask=mask)


def read(data: bytes, *cuts: int) -> list[Message]:
    frames, messages, at = Frames(LIMIT_BYTES), [], 0
    for cut in (*sorted(cuts), len(data)):
        frames.feed(data[at:cut])
        at = cut
        while (message := frames.next()) is not None:
            messages.append(message)
    return messages


SEQUENCES = [
    [(TEXT, b"")],
    [(TEXT, b"x" * length) for length in (1, 125, 126, 127, 65_535, 65_536)],
    [(BINARY, bytes(range(256))), (PING, b""), (PING, b"p" * 125), (CLOSE, b"\x03\xe8bye")],
]


@pytest.mark.parametrize("mask", [True, False])
@pytest.mark.parametrize("sequence", SEQUENCES, ids=range(len(SEQUENCES)))
def test_messages_are_read_in_one_piece_and_in_many(
    sequence: list[tuple[int, bytes]], mask: bool
) -> None:
    chance = random.Random(3)
    data = b"".join(written(*each, mask=mask) for each in sequence)
    for count in (0, 1, 5, 50):
        cuts = (chance.randrange(len(data) + 1) for _ in range(count))
        assert read(data, *cuts) == sequence


def test_fragments_are_put_together_around_what_comes_between() -> None:
    data = (
        written(TEXT, b"a", fin=False)
        + written(PING, b"p")
        + written(0, b"b", fin=False)
        + written(0, b"c")
        + written(TEXT, b"d")
    )
    for cut in range(len(data)):
        assert read(data, cut) == [(PING, b"p"), (TEXT, b"abc"), (TEXT, b"d")]


@pytest.mark.parametrize(
    "data",
    [
        written(0, b"of nothing"),
        written(TEXT, b"", fin=False) + written(TEXT, b""),
        b"\xc1\x00",  # a bit of an extension that was not agreed on
        b"\x09\x00",  # a part of a ping
        b"\x89\x7e",  # a ping that is too long
    ],
    ids=range(5),
)
def test_what_is_no_frame_or_none_now(data: bytes) -> None:
    with pytest.raises(BrokenFrame):
        read(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x81\xff" + (LIMIT_BYTES + 1).to_bytes(8, "big"),
        written(TEXT, b"x" * LIMIT_BYTES, fin=False) + b"\x80\x01",
    ],
    ids=range(3),
)
def test_what_is_too_long_is_refused_before_it_has_come(data: bytes) -> None:
    with pytest.raises(TooBig):
        read(data)


def test_whatever_comes_is_read_or_refused() -> None:
    chance, messages = random.Random(9), 0
    seeds = [b"".join(written(*each) for each in sequence[:4]) for sequence in SEQUENCES]
    for _ in range(5000):
        data = change_bytes(chance, seeds)
        try:
            whole = read(data)
        except (BrokenFrame, TooBig):
            continue
        messages += len(whole)
        assert read(data, *(chance.randrange(len(data) + 1) for _ in range(3))) == whole
    assert messages > 1000


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_a_text_is_headed_as_another_library_does(length: int) -> None:
    data = b"x" * length
    assert text_header(length) + data == written(TEXT, data, mask=False)

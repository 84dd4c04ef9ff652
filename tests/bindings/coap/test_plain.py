"""Requests that aiocoap does not see: they are read and answered as it would."""

import asyncio
import random
from typing import Any

import pytest
from aiocoap import CHANGED, CONTENT, CREATED, DELETE, EMPTY, GET, POST, PUT, Message
from aiocoap.error import Error
from aiocoap.numbers.types import ACK, CON, NON

from servient.bindings.coap.answers import Answer
from servient.bindings.coap.datagrams import acknowledgement, empty_acknowledgement
from servient.bindings.coap.incoming import decode
from servient.bindings.coap.memory import ENTRY_BYTES, Memory
from servient.bindings.coap.options import Malformed
from servient.bindings.coap.plain_request import parse_plain
from tests.bindings.coap.serving import JSON, LAMP, RawPeer, Serving
from tests.fuzz.mutation import change_bytes

LEVEL = f"{LAMP}/properties/level"


def request(code: Any, path: str, **options: Any) -> Message:
    message = Message(code=code, _mtype=CON, _mid=0x1234, _token=b"tk", **options)
    message.opt.uri_path = path.split("/")[1:]
    return message


SEEDS = [
    message.encode()
    for message in (
        request(GET, LEVEL),
        request(GET, LEVEL, accept=60),
        request(GET, LEVEL, block2=(0, False, 2)),
        request(PUT, LEVEL, payload=b"5", content_format=JSON),
        request(POST, f"{LAMP}/actions/double", payload=b'{"number": 1}', content_format=JSON),
        request(POST, "/" + "x" * 300, payload=b"\xff" * 20),
        request(DELETE, f"{LAMP}/actions/double/7", uri_query=["a=b", "c" * 14]),
        request(GET, "/.well-known/core", uri_host="h" * 14, etag=b"12345678"),
    )
]


@pytest.mark.parametrize("data", SEEDS, ids=range(len(SEEDS)))
def test_a_plain_request_is_read_as_it_was_meant(data: bytes) -> None:
    theirs, ours = Message.decode(data), parse_plain(data, "somebody")
    assert ours is not None
    assert (ours.code, ours.mid, ours.token) == (theirs.code, theirs.mid, theirs.token)
    assert (ours.payload, ours.options.path) == (theirs.payload, theirs.opt.uri_path)
    assert (ours.options.accept, ours.remote) == (theirs.opt.accept, "somebody")


def test_whatever_comes_is_read_as_the_other_parsers_do() -> None:
    chance, read = random.Random(7), 0
    for _ in range(20_000):
        data = change_bytes(chance, SEEDS)
        ours = parse_plain(data, None)
        if ours is None:
            continue
        read += 1
        other = decode(data, None)  # raises nothing: what is plain is no malformed message
        assert other.mtype is CON
        assert (ours.code, ours.mid, ours.token) == (other.code, other.mid, other.token)
        assert (ours.options, ours.payload) == (other.options, other.payload)
        try:
            theirs = Message.decode(data)
        except (Error, ValueError):
            continue  # aiocoap minds what it cannot use
        assert (ours.mid, ours.token, ours.payload) == (theirs.mid, theirs.token, theirs.payload)
        assert ours.options.path == theirs.opt.uri_path
    assert read > 2000


@pytest.mark.parametrize(
    "message",
    [
        Message(code=GET, _mtype=NON, _mid=1),
        Message(code=EMPTY, _mtype=CON, _mid=1),
        Message(code=CONTENT, _mtype=ACK, _mid=1),
        request(GET, LEVEL, observe=0),
        request(GET, LEVEL, observe=1),
        request(GET, LEVEL, block2=(1, False, 2)),
        request(PUT, LEVEL, payload=b"x" * 64, block1=(0, True, 2)),
    ],
    ids=range(7),
)
def test_what_is_more_than_plain_is_left_to_aiocoap(message: Message) -> None:
    assert parse_plain(message.encode(), None) is None


def test_what_is_malformed_is_left_to_others() -> None:
    whole = SEEDS[4]
    for data in (*(whole[:length] for length in range(len(whole))), whole[:6] + b"\xdd"):
        found = parse_plain(data, None)
        try:
            decode(data, None)
        except Malformed:
            assert found is None


@pytest.mark.parametrize("token", [b"", b"t", b"12345678"])
@pytest.mark.parametrize(
    "answer",
    [
        Answer(CHANGED),
        Answer(CONTENT, b"21", JSON),
        Answer(CONTENT, b"\xff" * 1024, 0, max_age_seconds=0, tag=b"12345678"),
        Answer(CONTENT, b"{}", 65_000, max_age_seconds=70_000),
        Answer(CREATED, b"{}", JSON, ("things", "ü" * 20, "x" * 300, "7"), 0),
    ],
    ids=range(5),
)
def test_an_answer_is_written_as_aiocoap_does(token: bytes, answer: Answer) -> None:
    theirs = answer.message()
    theirs.mtype, theirs.mid, theirs.token = ACK, 0xABCD, token
    assert acknowledgement(0xABCD, token, answer) == theirs.encode()


def test_an_empty_acknowledgement() -> None:
    assert empty_acknowledgement(7) == Message(code=EMPTY, _mtype=ACK, _mid=7).encode()


def test_a_memory_forgets_the_oldest_and_what_is_old() -> None:
    memory = Memory(limit_bytes=3 * ENTRY_BYTES, keep_seconds=10.0)
    for number in range(4):
        memory.put(number, b"t", now=float(number))
    assert [memory.recall(number, b"t", 5.0) is not None for number in range(4)] == [
        *(False, True, True, True)
    ]
    assert memory.recall(3, b"u", 5.0) is None
    assert memory.recall(3, b"t", 13.0) is None
    remembered = memory.recall(3, b"t", 5.0)
    assert remembered is not None
    memory.answer(3, remembered, b"x" * ENTRY_BYTES)
    memory.put(4, b"t", now=12.5)
    assert len(memory) == 2
    memory.answer(2, remembered, b"of another")
    assert memory.recall(3, b"t", 12.6) is remembered
    memory.clear()
    assert len(memory) == 0


async def test_the_token_of_one_who_observes_is_left_to_aiocoap(serving: Serving) -> None:
    """A new request with it ends the observation, as it does by way of aiocoap alone."""
    with serving.peer() as peer:
        await peer.request(GET, LEVEL, observe=0)
        first = await peer.receive()
        await peer.acknowledge(first) if first.mtype is CON else None
        await serving.observers(1)
        assert (await answered(peer, b"t")).payload == b"3"
        await serving.observers(0)


async def test_another_token_leaves_those_who_observe_alone(serving: Serving) -> None:
    with serving.peer() as peer:
        await peer.request(GET, LEVEL, observe=0)
        await peer.receive()
        await serving.observers(1)
        assert (await answered(peer, b"u")).payload == b"3"
        await asyncio.sleep(0)
        assert serving.binding.observers == 1


async def answered(peer: RawPeer, token: bytes) -> Message:
    return await peer.ask(GET, LEVEL, token=token)

"""The parser of requests, beside the library's own."""

import contextlib
from typing import Any

import aiocoap
from aiocoap import Message
from aiocoap.error import UnparsableMessage
from hypothesis import given
from hypothesis import strategies as st

from servient.bindings.coap.incoming import decode
from servient.bindings.coap.options import Malformed, Options, parse_options, split

names = st.text(st.characters(codec="utf-8"), max_size=40)
exponents = st.integers(0, 6)
blocks = st.tuples(st.integers(0, (1 << 20) - 1), st.booleans(), exponents)


@given(
    path=st.lists(names, max_size=8),
    queries=st.lists(names, max_size=4),
    tags=st.lists(st.binary(max_size=8), max_size=3),
    payload=st.binary(max_size=200),
    token=st.binary(max_size=8),
    numbers=st.fixed_dictionaries(
        {},
        optional={
            "observe": st.integers(0, (1 << 24) - 1),
            "content_format": st.sampled_from([0, 23, 42, 50, 432]),
            "accept": st.sampled_from([0, 50, 60, 432]),
            "block1": blocks,
            "block2": blocks,
            "size1": st.integers(0, (1 << 32) - 1),
        },
    ),
)
def test_what_the_library_writes_is_read(
    path: list[str],
    queries: list[str],
    tags: list[bytes],
    payload: bytes,
    token: bytes,
    numbers: dict[str, Any],
) -> None:
    message = Message(code=aiocoap.PUT, payload=payload, _mtype=0, _mid=0x1234, _token=token)
    message.opt.uri_path, message.opt.uri_query = path, queries
    message.opt.request_tag, message.opt.uri_host = tags, "example.org"
    for name, number in numbers.items():
        setattr(message.opt, name, number)
    read = decode(message.encode(), None)
    assert (read.mid, read.token, read.payload) == (0x1234, token, payload)
    assert read.options == Options(
        path=tuple(path), queries=tuple(queries), request_tags=tuple(tags), **numbers
    )


@given(data=st.binary(max_size=100))
def test_any_bytes_are_split_or_malformed(data: bytes) -> None:
    try:
        raw, payload = split(data)
    except Malformed:
        return
    parse_options(raw)
    with contextlib.suppress(UnparsableMessage, UnicodeDecodeError):
        theirs = aiocoap.options.Options()
        assert theirs.decode(data) == payload
        assert {int(option.number) for option in theirs.option_list()} >= raw.keys()


@given(data=st.binary(max_size=60))
def test_any_datagram_is_decoded_or_malformed(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        decode(data, None)

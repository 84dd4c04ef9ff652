"""Bodies in the media types that are spoken, and what a client accepts."""

import math
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servient.errors import InvalidInput, NotAcceptable
from servient.wot.accept import parse_accept, quality
from servient.wot.codecs import decode, parse_cbor, represent, to_cbor
from servient.wot.content import NESTING_LIMIT, Content
from servient.wot.schema import DataSchema
from tests.wot.test_content import JSON, nested

PICTURE = Content(b"\x89PNG", "image/png")


@given(JSON)
def test_a_value_goes_through_cbor(value: Any) -> None:
    try:
        assert parse_cbor(to_cbor(value)) == value
    except InvalidInput as error:
        assert "int" in error.detail  # one of more than 64 bits, which JSON has


def test_files_are_byte_strings_in_cbor() -> None:
    assert cbor2.loads(to_cbor({"image": PICTURE})) == {"image": b"\x89PNG"}
    taken = decode(Content(cbor2.dumps({"image": b"\x89PNG"}), "application/cbor"))
    assert taken["image"].body == b"\x89PNG"


@given(st.binary())
def test_bytes_are_cbor_or_refused(body: bytes) -> None:
    try:
        parse_cbor(body)
    except InvalidInput as error:
        assert error.detail


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x01\x01",  # goes on
        cbor2.dumps(math.nan),
        cbor2.dumps(math.inf),
        cbor2.dumps({1: 2}),
        cbor2.dumps(2**64 + 1),
        cbor2.dumps(cbor2.CBORTag(1000, 1)),
        cbor2.dumps(cbor2.undefined),
        b"\xd8\x1c\x81\xd8\x1d\x00",  # an array that has itself in it (tags 28 and 29)
        cbor2.dumps(nested(NESTING_LIMIT + 1)),
        b"\x81" * 100_000,
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",  # an array of 2**64 - 1
        b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",  # as many bytes
        b"\x5b\x00\x00\x00\xff\xff\xff\xff\xff",
        b"\xc2\x5a\x00\x0f\xff\xff",  # a number of a million bytes that are not there
        b"\x62\xff\xff",  # no UTF-8
    ],
)
def test_hostile_cbor_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_cbor(body)


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ({"type": "string"}, "21", "21"),
        ({"type": "integer"}, "21", 21),
        ({"type": "boolean"}, "true", True),
        ({"type": "number"}, " 1.5\n", 1.5),
    ],
)
def test_plain_text_is_what_its_schema_wants(schema: Any, text: str, value: Any) -> None:
    content = Content(text.encode(), "text/plain;charset=utf-8")
    assert DataSchema(schema).accept(content) == value


@pytest.mark.parametrize("body", [b"one", b"\xff", b"1 2"])
def test_plain_text_that_does_not_fit_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        DataSchema({"type": "integer"}).accept(Content(body, "text/plain"))


@pytest.mark.parametrize(
    ("accept", "media_type", "body"),
    [
        (None, "application/json", b"21"),
        ("*/*", "application/json", b"21"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "application/json", b"21"),
        ("application/cbor", "application/cbor", b"\x15"),
        ("application/json;q=0.5, application/cbor", "application/cbor", b"\x15"),
        ("APPLICATION/JSON; charset=utf-8", "application/json", b"21"),
        ("text/*", "text/plain", b"21"),
        ("application/*, application/json;q=0", "application/cbor", b"\x15"),
        ("nonsense", "application/json", b"21"),
    ],
)
def test_a_number_comes_as_it_is_accepted(accept: str, media_type: str, body: bytes) -> None:
    assert represent(21, accept) == Content(body, media_type)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, PICTURE),
        ("image/*", PICTURE),
        ("application/json, text/plain, */*", PICTURE),
        ("application/json", Content(b'"iVBORw=="', "application/json")),
        ("application/octet-stream", Content(b"\x89PNG", "application/octet-stream")),
    ],
)
def test_a_file_comes_as_it_is_accepted(accept: str | None, expected: Content) -> None:
    assert represent(PICTURE, accept) == expected


def test_text_goes_as_itself_and_more_as_json() -> None:
    assert represent("hello", "text/plain").body == b"hello"
    assert represent({"a": 1}, "text/plain").body == b'{"a":1}'
    assert represent(Content(b"[1]"), "application/cbor").body == cbor2.dumps([1])


@pytest.mark.parametrize("accept", ["image/webp", "application/xml", "*/*;q=0", "*/json"])
def test_what_is_not_to_be_had_is_not_acceptable(accept: str) -> None:
    with pytest.raises(NotAcceptable, match="application/json"):
        represent(21, accept)


@given(st.text())
def test_any_header_is_read(header: str) -> None:
    assert all(0 <= each.weight <= 1 for each in parse_accept(header))
    assert 0 <= quality("application/json", parse_accept(header)) <= 1

"""Values and their bytes."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servient.errors import InvalidInput, ServientError
from servient.wot.codecs import decode
from servient.wot.content import (
    NESTING_LIMIT,
    OCTET_STREAM,
    Content,
    encode,
    parse_json,
    to_json,
    to_plain,
)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def nested(levels: int, innermost: Any = None) -> Any:
    """Arrays in arrays; the innermost value is within all of them."""
    value = innermost
    for _ in range(levels):
        value = [] if value is None else [value]
    return value


@given(JSON)
def test_a_json_value_comes_back_as_it_went(value: Any) -> None:
    assert parse_json(to_json(value)) == value
    assert to_plain(value) == value


@given(st.binary())
def test_bytes_are_json_or_refused(body: bytes) -> None:
    try:
        value = parse_json(body)
    except InvalidInput as error:
        assert error.detail
    else:
        assert json.loads(body) == value


@given(st.text())
def test_text_is_json_or_refused(text: str) -> None:
    try:
        value = parse_json(text)
    except InvalidInput:
        return
    assert to_json(value)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"NaN", "NaN"),
        (b"[-Infinity]", "-Infinity"),
        (b'{"a": Infinity}', "Infinity"),
        (b"1e999", "1e999"),
        (b"-1e999", "-1e999"),
        (b"1" * 400 + b".5", "out of range"),
        (b"9" * 10_000, "10000 digits"),
        (b"[" * 100_000, "nested"),
        (b'{"a":' * 100_000, "nested"),
        (b"[" * 500 + b"]" * 500, "nested"),
        (b"\xff\xfe1\x00", "UTF-8"),
        ("[1]".encode("utf-16"), "UTF-8"),
        ("[1]".encode("utf-32-le"), "not JSON"),
        (b'"\xff"', "UTF-8"),
        (b'"\xed\xa0\x80"', "UTF-8"),
        (b"\x00", "not JSON"),
        (b"", "not JSON"),
        (b" ", "not JSON"),
        (b"{} {}", "not JSON"),
        (b"'a'", "not JSON"),
        (b"{1: 2}", "not JSON"),
        (b"[1,]", "not JSON"),
        (b'"a\nb"', "not JSON"),
        (b"01", "not JSON"),
        (b"None", "not JSON"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_json_is_refused_with_a_reason(body: bytes, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_json(body)
    assert said in refused.value.detail
    assert "sys." not in refused.value.detail
    assert len(refused.value.detail) < 200


def test_what_is_unusual_but_json_is_taken() -> None:
    assert parse_json(b"\xef\xbb\xbf[1]") == [1]  # a byte order mark may be ignored: RFC 8259, 8.1
    assert parse_json(b'{"a": 1, "b": 2, "a": 3}') == {"a": 3, "b": 2}
    assert parse_json(b"9" * 4_000) == int("9" * 4_000)
    assert parse_json(b"1e308") == 1e308
    assert math.copysign(1, parse_json(b"-0.0")) == -1
    assert parse_json(b'"\\ud83d\\ude00"') == "😀"


def test_half_a_pair_of_surrogates_stays_within_json() -> None:
    value = parse_json(b'{"\\ud800": "\\udfff"}')
    assert to_json(value) == b'{"\\ud800":"\\udfff"}'


def test_nesting_has_a_limit_in_both_directions() -> None:
    innermosts: list[Any] = [None, 1, {}]
    for innermost in innermosts:
        levels = NESTING_LIMIT - isinstance(innermost, dict)
        deepest = nested(levels, innermost)
        assert parse_json(to_json(deepest)) == deepest
        with pytest.raises(InvalidInput, match=f"more than {NESTING_LIMIT} levels"):
            parse_json(json.dumps([deepest]))
        with pytest.raises(ServientError, match=f"more than {NESTING_LIMIT} levels"):
            to_json({"a": deepest})
    for levels in (300, 600, 5_000):
        with pytest.raises(ServientError):
            to_json(nested(levels))
    with pytest.raises(ServientError, match="nested"):
        to_plain(nested(5_000))
    wide: Any = [[[]] for _ in range(10_000)]
    assert parse_json(to_json(wide)) == wide
    assert parse_json(json.dumps("[{" * 1_000)) == "[{" * 1_000


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        [math.inf],
        {"a": -math.inf},
        {1, 2},
        b"bytes",
        object(),
        {(1, 2): 3},
        1j,
        10**5_000,
        [10**5_000],
        Exception(),
    ],
    ids=lambda value: repr(type(value)),
)
def test_what_json_has_no_word_for_is_refused(value: Any) -> None:
    with pytest.raises(ServientError) as refused:
        to_json(value)
    assert refused.value.status == 500
    assert len(refused.value.detail) < 300


def test_a_value_that_holds_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    for write in (to_json, to_plain):
        with pytest.raises(ServientError):
            write(value)


def test_files_become_base64_wherever_they_are() -> None:
    file = Content(b"\x00\xff", "image/png")
    value = {"a": [file, (file, 1)], "b": file}
    plain = {"a": ["AP8=", ["AP8=", 1]], "b": "AP8="}
    assert to_plain(value) == plain
    assert json.loads(to_json(value)) == plain
    assert encode(file) is file
    assert encode(value) == Content(to_json(plain))


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (Content(b""), None),
        (Content(b"", "image/png"), None),
        (Content(b"1"), 1),
        (Content(b"1", "application/JSON; charset=utf-8"), 1),
        (Content(b"1", "application/senml+json"), 1),
        (Content(b"1", "text/plain"), Content(b"1", "text/plain")),
        (Content(b"{", OCTET_STREAM), Content(b"{", OCTET_STREAM)),
    ],
)
def test_only_json_is_read(content: Content, value: Any) -> None:
    assert decode(content) == value

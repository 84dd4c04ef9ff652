"""Trace contexts as anybody may send them."""

import pytest

from servient.wot.tracing import from_bytes, parse_traceparent, to_bytes

VALID = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_trace_context_goes_through_bytes_and_back() -> None:
    assert parse_traceparent(VALID) == VALID
    assert len(to_bytes(VALID)) == 26
    assert from_bytes(to_bytes(VALID)) == VALID


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "-",
        "---",
        VALID.upper(),
        VALID[:-1],
        f"{VALID}-more",
        f"ff{VALID[2:]}",
        f"{VALID[:-2]}\r\n",
        f"{VALID[:-2]}zz",
        VALID.replace("0af7", "٠١٢٣"),
        "a" * 100_000,
    ],
)
def test_what_is_none_counts_as_nothing(text: str | None) -> None:
    assert parse_traceparent(text) == ""


@pytest.mark.parametrize("data", [None, b"", b"\x00" * 25, b"\xff" * 26, b"\x00" * 27])
def test_bytes_that_are_none_count_as_nothing(data: bytes | None) -> None:
    assert from_bytes(data) == ""

"""Answers of next steps are outside data: a link to a result, or a sentence that says why there is none."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servient.deployment.step_answer import REASON_LIMIT_CHARS, read_answer, step_failed
from servient.errors import NextStepFailed

URL = "http://h:1/d/modules/m/f"
LINK = "http://h:1/request-history/1"


def reason(status: int, answer: Any) -> str:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    with pytest.raises(NextStepFailed) as failed:
        read_answer(URL, status, body)
    return failed.value.detail


@pytest.mark.parametrize(
    "answer",
    [
        {"resultUrl": LINK},
        {"resultUrl": LINK, "result": ["0", None], "status": "success", "error": None},
        {"resultUrl": LINK, "error": "", "unheard": {}},
        {"resultUrl": "/request-history/1"},
    ],
)
@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_link_is_success(answer: Any, status: int) -> None:
    assert read_answer(URL, status, json.dumps(answer).encode()) == LINK


@pytest.mark.parametrize(
    ("status", "answer", "told"),
    [
        (200, {"resultUrl": LINK, "status": "error", "error": "no memory"}, "no memory"),
        (200, {"resultUrl": LINK, "error": "no memory"}, "no memory"),
        (200, {"resultUrl": LINK, "status": "error", "result": "no memory"}, "no memory"),
        (200, {"resultUrl": LINK, "error": {"code": 7}}, '{"code": 7}'),
        (200, {"resultUrl": LINK, "error": True}, "it says no more than that"),
        (404, {"status": "error", "result": "no module"}, "no module"),
        (422, {"title": "Invalid", "detail": "/x: not a number"}, "/x: not a number"),
        (500, {"error": "two\n lines\u202e\x1b[2J"}, "two lines [2J"),
        (503, b"<html>", "it answered 503 Service Unavailable"),
        (503, [], "it answered 503 Service Unavailable"),
        (599, {}, "it answered 599"),
        (301, b"", "it answered 301 Moved Permanently, and redirects are not followed"),
        (200, b"", "its answer is not a JSON object"),
        (200, [LINK], "its answer is not a JSON object"),
        (200, {"resultUrl": ["x"]}, "its answer has no usable resultUrl"),
        (200, {"resultUrl": ""}, "its answer has no usable resultUrl"),
        (200, {"resultUrl": "javascript:alert(1)"}, "its answer has no usable resultUrl"),
        (200, {"resultUrl": "http://[::1"}, "its answer has no usable resultUrl"),
        (200, {"resultUrl": f"{LINK} x"}, "its answer has no usable resultUrl"),
        (200, {"resultUrl": "http://h/" + "x" * 5000}, "its answer has no usable resultUrl"),
    ],
)
def test_anything_else_is_a_failure_with_a_reason(status: int, answer: Any, told: str) -> None:
    assert reason(status, answer) == f"the step {URL} failed: {told}"


def test_the_reason_of_a_later_step_stands_alone() -> None:
    told = "the step http://other/f failed: it trapped"
    assert reason(200, {"resultUrl": LINK, "error": told}) == told
    assert step_failed(URL, told).detail == told


def test_a_reason_is_bounded() -> None:
    assert len(reason(500, {"error": "x" * 10**6})) < REASON_LIMIT_CHARS + len(URL) + 30


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "result", "resultUrl", "status", "x"]), inner)
    ),
)


@given(st.integers(100, 999), st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_answer_is_anything_else(status: int, body: bytes) -> None:
    try:
        link = read_answer(URL, status, body)
    except NextStepFailed as error:
        assert error.detail.startswith("the step ")
        assert error.detail.isprintable()
    else:
        assert link.startswith(("http://", "https://"))

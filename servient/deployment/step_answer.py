"""Reads what the next step of a chain answered: where its result is, or why there is none."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urljoin

from converters.errors import ConversionError
from converters.reading import Node
from converters.shown_url import shown_url
from servient.errors import InvalidInput, NextStepFailed
from servient.wot.content import Value, parse_json

REASON_LIMIT_CHARS = 500

# How the sentence of a step begins that could not be taken either.
_STEP = "the step "


def step_failed(url: str, reason: str) -> NextStepFailed:
    """The failure of the step at a URL. Where the reason is a later step's, that is all there is to say."""
    printable = (c if c.isprintable() else " " for c in reason[:REASON_LIMIT_CHARS])
    text = " ".join("".join(printable).split())
    return NextStepFailed(
        text if text.startswith(_STEP) else f"{_STEP}{shown_url(url)} failed: {text}"
    )


def read_answer(url: str, status: int, body: bytes) -> str:
    """The URL of the step's result. Raises NextStepFailed.

    A supervisor may answer before it has run the function, and the caller follows the link; 200 is no
    success where the answer says `error`.
    """
    answer = _members(body)
    if not 200 <= status < 300:
        raise step_failed(url, _reason(answer) or _status_text(status))
    if answer is None:
        raise step_failed(url, "its answer is not a JSON object")
    if answer.get("error") or answer.get("status") == "error":
        raise step_failed(url, _reason(answer) or "it says no more than that")
    try:
        return Node(_absolute(url, answer.get("resultUrl"))).url()
    except (ConversionError, ValueError) as error:
        raise step_failed(url, "its answer has no usable resultUrl") from error


def _absolute(url: str, link: object) -> object:
    return urljoin(url, link) if isinstance(link, str) and link else None


def _members(body: bytes) -> Mapping[str, Value] | None:
    try:
        value = parse_json(body)
    except InvalidInput:
        return None
    return value if isinstance(value, dict) else None


def _reason(answer: Mapping[str, Value] | None) -> str:
    """What an answer says of its failure, in the words of one or another kind of supervisor."""
    for name in ("error", "result", "detail"):
        said = (answer or {}).get(name)
        if said and said is not True:
            return said if isinstance(said, str) else json.dumps(said)
    return ""


def _status_text(status: int) -> str:
    try:
        text = f"it answered {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"it answered {status}"
    return f"{text}, and redirects are not followed" if 300 <= status < 400 else text

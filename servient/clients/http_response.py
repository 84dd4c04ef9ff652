"""What an HTTP response means to a consumer: a value, or a refusal."""

from typing import Any

import httpx

from servient.clients.errors import InteractionRefused
from servient.wot.content import Content, Value, is_json, parse_json

DETAIL_LIMIT = 200


def accepted(response: httpx.Response) -> httpx.Response:
    """The response, if it is a success. Raises InteractionRefused."""
    if response.is_success:
        return response
    problem = _problem(response)
    raise InteractionRefused({**problem, "status": response.status_code})


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        document = response.json()
    except ValueError:
        document = None
    if isinstance(document, dict) and "json" in response.headers.get("content-type", ""):
        return document
    return {"title": response.reason_phrase, "detail": response.text[:DETAIL_LIMIT]}


def to_value(response: httpx.Response) -> Value:
    """JSON, a Content, or None for no body. Raises InvalidInput when it is not what it claims to be."""
    if not response.content:
        return None
    media_type = response.headers.get("content-type", "application/json")
    if is_json(media_type):
        return parse_json(response.content)
    return Content(response.content, media_type)

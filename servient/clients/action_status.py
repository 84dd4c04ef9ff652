"""An action that was only begun: its status is asked for until it is over (WoT Profile, 5.2.2)."""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from servient.clients.errors import InteractionRefused
from servient.wot.content import Content, Value
from servient.wot.schema import is_file, media_type_of

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
_UNFINISHED = ("pending", "running")
_STATES = (*_UNFINISHED, "completed", "failed")


def is_status(value: Value) -> bool:
    """Whether an answer is an ActionStatus, and not an output."""
    return isinstance(value, dict) and value.get("status") in _STATES


async def output_of(status: Any, query: Callable[[], Awaitable[Value]]) -> Value:
    """The output of an invocation; `query` asks for its status anew.

    Raises InteractionRefused when the action failed.
    """
    pause = FIRST_PAUSE_SECONDS
    while status["status"] in _UNFINISHED:
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        answer = await query()
        if not is_status(answer):
            raise InteractionRefused({"title": "No status", "detail": "the action is forgotten"})
        status = answer
    if status["status"] == "failed":
        error = status.get("error")
        raise InteractionRefused(error if isinstance(error, dict) else {"title": "Action failed"})
    return status.get("output")


def as_file(schema: Mapping[str, Any], value: Value) -> Value:
    """Inside of JSON a file is a base64 string. Raises ValueError."""
    if not (is_file(schema) and isinstance(value, str)):
        return value
    try:
        return Content(base64.b64decode(value, validate=True), media_type_of(schema))
    except binascii.Error as error:
        raise ValueError("a file inside of JSON is not base64") from error

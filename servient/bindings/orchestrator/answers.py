"""Answers in the shapes that orchestrators read."""

import asyncio
import contextlib

from servient.bindings.http.messages import Request, Response, retry_headers
from servient.errors import ServientError
from servient.wot.content import Content, Value
from servient.wot.invocation import Invocation

# Most functions are over by then, and their clients need no watching.
PATIENCE_SECONDS = 1.0

# What a module wrote may be a page with scripts in it: they have no business on our pages.
_UNTRUSTED = (("Content-Security-Policy", "sandbox"), ("X-Content-Type-Options", "nosniff"))


def refusal(error: ServientError) -> Response:
    """The sentence stands twice, since the two kinds of orchestrators look at one or the other."""
    body: dict[str, Value] = {"status": "error", "result": error.detail, "error": error.detail}
    if error.faults:
        body["errors"] = list(error.faults)
    return Response.json(error.status, body, retry_headers(error))


def not_ready() -> Response:
    """Asks the orchestrator to try again: that has no truthy `error`."""
    return Response.json(404, {"status": "error", "result": "the function is still running"})


def file(content: Content) -> Response:
    return Response(200, content.body, content.media_type, _UNTRUSTED)


async def await_end(request: Request, invocation: Invocation, limit_seconds: float) -> bool:
    """Hold the request until the invocation is over; False when that takes longer than the limit.

    Raises ClientGone when the client leaves; the invocation goes on.
    """
    if not invocation.is_over:
        await request.unless_gone(_end(invocation, limit_seconds), PATIENCE_SECONDS)
    return invocation.is_over


async def _end(invocation: Invocation, limit_seconds: float) -> None:
    with contextlib.suppress(ServientError, TimeoutError):
        async with asyncio.timeout(limit_seconds):
            await invocation.result()

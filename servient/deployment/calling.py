"""What an invocation calls, told to its trace: modules, how long they waited and ran, and next steps."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from servient.wasm.moments import Moments
from servient.wasm.running import Interruptible, call_until_cancelled
from servient.wot.tracer import SPAN, Span, step
from servient.wot.tracing import NAME


async def call_traced(running: Interruptible, call: Any) -> Any:
    """As `call_until_cancelled`."""
    span = SPAN.get()
    if span is None:
        return await call_until_cancelled(running, call)
    call = call._replace(moments=Moments())
    began = time.time_ns()
    try:
        result = await call_until_cancelled(running, call)
    except BaseException as error:
        _tell(span, call.moments, began, error)
        raise
    _tell(span, call.moments, began)
    return result


def _tell(span: Span, moments: Moments, began: int, error: BaseException | None = None) -> None:
    ended = time.time_ns()
    entered = moments.entered_ns
    if entered is None:  # it failed before its turn came
        span.past_step("queue", began, ended, error)
        return
    span.past_step("queue", began, entered)
    span.past_step("wasm", entered, ended, error)


@contextmanager
def traced_step(url: str, headers: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """A block in which the next step of a chain is called, with these headers."""
    span = SPAN.get()
    if span is None:
        yield headers
        return
    with step(span, "step", calls_others=True) as below:
        parts = urlsplit(url)
        # Without the name and password that it may have.
        below.tell("server.address", parts.netloc.rpartition("@")[2])
        below.tell("url.path", parts.path)
        yield {**headers, NAME: below.traceparent}

"""Spans: what ties a consumer's call to the work that it causes elsewhere (W3C Trace Context)."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from servient.wot.tracing import TRACEPARENT


@dataclass(frozen=True, slots=True)
class Span:
    """One call: `trace` is that of all which the same first call caused, in 32 hexadecimal digits."""

    trace: str = ""
    span: str = ""


def current() -> Span:
    """The call that is served right now."""
    parts = TRACEPARENT.get().split("-")
    return Span(parts[1], parts[2]) if len(parts) == 4 else Span()


@contextmanager
def outgoing(*, is_carried: bool = True) -> Iterator[Span]:
    """A call that is made in this block, with all requests in it; in the trace of the one served."""
    trace = current().trace or secrets.token_hex(16)
    span = Span(trace, secrets.token_hex(8))
    if not is_carried:
        yield Span()
        return
    token = TRACEPARENT.set(f"00-{span.trace}-{span.span}-01")
    try:
        yield span
    finally:
        TRACEPARENT.reset(token)

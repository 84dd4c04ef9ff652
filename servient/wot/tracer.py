"""Who is told what an invocation spends its time on, as spans of a trace."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from servient.wot.tracing import TRACEPARENT


class Span(Protocol):
    """A time that belongs to a trace, from when it was made until its end."""

    @property
    def traceparent(self) -> str:
        """What calls that are made in this time go on with."""
        ...

    def child(self, name: str, *, calls_others: bool = False) -> "Span":
        """A span below this one, that begins now."""
        ...

    def past_step(
        self, name: str, began_ns: int, ended_ns: int, error: BaseException | None = None
    ) -> None:
        """A span below this one that is over; times as of `time.time_ns`."""
        ...

    def tell(self, name: str, value: str) -> None:
        """Something to know about it. Never a secret: who collects traces reads it."""
        ...

    def end(self, error: BaseException | None = None) -> None: ...


class Tracer(Protocol):
    """Begins the span of an invocation, below the one that its request named."""

    def begin(self, thing: str, action: str, protocol: str, traceparent: str) -> Span: ...


# The span of the invocation that is worked on; None where nobody traces.
SPAN: ContextVar[Span | None] = ContextVar("span", default=None)


@contextmanager
def tracing(span: Span) -> Iterator[None]:
    """A block that a span is about; tasks begun in it go on with it. It is not ended here."""
    of, trace = SPAN.set(span), TRACEPARENT.set(span.traceparent)
    try:
        yield
    finally:
        SPAN.reset(of)
        TRACEPARENT.reset(trace)


@contextmanager
def step(of: Span, name: str, *, calls_others: bool = False) -> Iterator[Span]:
    """A block as a span below another, which fails when the block raises."""
    span = of.child(name, calls_others=calls_others)
    try:
        with tracing(span):
            yield span
    except BaseException as error:
        span.end(error)
        raise
    span.end()

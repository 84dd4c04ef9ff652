"""Spans of invocations, sent to a collector of OpenTelemetry: the one place that knows its library."""

import asyncio
from types import TracebackType
from typing import Self

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as SdkSpan
from opentelemetry.trace import Tracer as SdkTracer

from servient.errors import ServientError, problem_name
from servient.version import VERSION

PATH = "/v1/traces"
# In the documents of WoT there are no such names yet.
THING, ACTION, PROTOCOL = "wot.thing", "wot.action", "network.protocol.name"
ERROR = "error.type"


class Traces:
    """A `Tracer` while its `async with` block lasts; what is not sent by then is sent at its end.

    `endpoint` is the address of a collector, to which `/v1/traces` is added. All else is said by the
    variables of OpenTelemetry, such as OTEL_TRACES_SAMPLER; they also go before `name`.
    """

    def __init__(self, endpoint: str, name: str, servient_id: str) -> None:
        own = {
            "service.name": name,
            "service.version": VERSION,
            "service.instance.id": servient_id,
        }
        said = OTELResourceDetector().detect().attributes
        resource = Resource.create({**own, **said})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + PATH)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("wasm-servient", VERSION)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self._provider.shutdown)

    def begin(self, thing: str, action: str, protocol: str, traceparent: str) -> "TracedSpan":
        span = self._tracer.start_span(
            f"invokeaction {action}",
            _parent(traceparent),
            SpanKind.SERVER,
            {THING: thing, ACTION: action, PROTOCOL: protocol},
        )
        return TracedSpan(self._tracer, span)


class TracedSpan:
    """A `Span`."""

    def __init__(self, tracer: SdkTracer, span: SdkSpan) -> None:
        self._tracer = tracer
        self._span = span
        self._below = set_span_in_context(span, Context())

    @property
    def traceparent(self) -> str:
        context = self._span.get_span_context()
        if not context.is_valid:  # nothing is traced: OTEL_SDK_DISABLED
            return ""
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def child(self, name: str, *, calls_others: bool = False) -> "TracedSpan":
        kind = SpanKind.CLIENT if calls_others else SpanKind.INTERNAL
        return TracedSpan(self._tracer, self._tracer.start_span(name, self._below, kind))

    def past_step(
        self, name: str, began_ns: int, ended_ns: int, error: BaseException | None = None
    ) -> None:
        span = self._tracer.start_span(name, self._below, start_time=began_ns)
        _tell_failure(span, error)
        span.end(ended_ns)

    def tell(self, name: str, value: str) -> None:
        self._span.set_attribute(name, value)

    def end(self, error: BaseException | None = None) -> None:
        _tell_failure(self._span, error)
        self._span.end()


def _parent(traceparent: str) -> Context:
    """What a request says of the span that it belongs to; none begins a trace."""
    if not traceparent:
        return Context()
    _, trace_id, span_id, flags = traceparent.split("-")
    of = SpanContext(int(trace_id, 16), int(span_id, 16), True, TraceFlags(int(flags, 16)))
    return set_span_in_context(NonRecordingSpan(of), Context())


def _tell_failure(span: SdkSpan, error: BaseException | None) -> None:
    if error is None:
        return
    if isinstance(error, ServientError):
        span.set_attribute(ERROR, problem_name(type(error)))
        span.set_status(Status(StatusCode.ERROR, error.detail))
    else:
        span.set_attribute(ERROR, type(error).__name__)
        span.set_status(Status(StatusCode.ERROR))

"""A collector of OpenTelemetry, as far as it takes traces over HTTP."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

ERROR = 2  # STATUS_CODE_ERROR


@dataclass(frozen=True, slots=True)
class Received:
    """A span as it was sent; ids are in hexadecimal digits."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    nanoseconds: int
    attributes: dict[str, str]
    has_failed: bool


@dataclass
class Collector:
    url: str = ""
    spans: list[Received] = field(default_factory=list)

    def named(self, name: str) -> list[Received]:
        return [span for span in self.spans if span.name == name]

    def below(self, parent: Received) -> dict[str, Received]:
        return {span.name: span for span in self.spans if span.parent == parent.id}

    async def handle(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/x-protobuf"
        self.take(ExportTraceServiceRequest.FromString(await request.read()))
        answer = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=answer, content_type="application/x-protobuf")

    def take(self, sent: ExportTraceServiceRequest) -> None:
        for of_resource in sent.resource_spans:
            service = _attributes(of_resource.resource)["service.name"]
            for of_scope in of_resource.scope_spans:
                self.spans += [_received(service, span) for span in of_scope.spans]


def _received(service: str, span: Any) -> Received:
    return Received(
        service,
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.end_time_unix_nano - span.start_time_unix_nano,
        _attributes(span),
        span.status.code == ERROR,
    )


def _attributes(of: Any) -> dict[str, str]:
    return {each.key: each.value.string_value for each in of.attributes}


@contextlib.asynccontextmanager
async def collector() -> AsyncIterator[Collector]:
    collecting = Collector()
    application = web.Application()
    application.router.add_post("/v1/traces", collecting.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    collecting.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield collecting
    finally:
        await runner.cleanup()

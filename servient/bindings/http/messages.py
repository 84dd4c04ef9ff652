"""The two messages of HTTP as handlers see them, and what a handler is."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, NamedTuple, Protocol, TypeAlias
from urllib.parse import parse_qsl, unquote

from servient.bindings.http.form_data import Form
from servient.bindings.http.watch import ClientGone, Watch
from servient.errors import PROBLEM_MEDIA_TYPE, InvalidInput, ServientError, TooLarge, problem
from servient.wot.codecs import represent
from servient.wot.content import JSON_MEDIA_TYPE, Content, Value, to_json

QUERY_LIMIT = 256
INSTANCE_LIMIT = 500


class Incoming(Protocol):
    """A request as it comes in. Of a repeated header, the first counts; names are in lower case."""

    method: str
    path: str
    query: bytes
    headers: dict[bytes, bytes]

    @property
    def channel(self) -> "Origin": ...

    def take_ready_body(self) -> bytes | None: ...

    async def next_piece(self) -> tuple[bytes, bool]: ...

    async def gone(self) -> None: ...


class Origin(Protocol):
    """Where it comes from: the scheme, the address of the other end, and ours with the port."""

    scheme: str
    client: str
    server: str


class Request:
    """What a client asks. Nothing of it is looked at, and no body read, before a handler wants it.

    `method` is in upper case, `path` as it came (percent-encoded, without the query).
    """

    __slots__ = ("_body", "_body_limit_bytes", "_incoming", "_segments", "method", "path")

    def __init__(self, incoming: Incoming, body_limit_bytes: int) -> None:
        self.method = incoming.method
        self.path = incoming.path
        self._incoming = incoming
        self._body_limit_bytes = body_limit_bytes
        self._segments: tuple[str, ...] | None = None
        self._body: bytes | None = None

    @property
    def scheme(self) -> str:
        return self._incoming.channel.scheme

    @property
    def segments(self) -> tuple[str, ...]:
        """The path's segments, percent-decoded; an encoded slash stays within its segment.

        Slashes at the start count as one: orchestrators join "http://host/" and "/deploy".
        Raises InvalidInput for what is not UTF-8 and for control characters.
        """
        if self._segments is None:
            parts = self.path.lstrip("/").split("/")
            self._segments = tuple(map(_unquote, parts) if "%" in self.path else parts)
        return self._segments

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query's parameters in their order. Raises InvalidInput."""
        text = self._incoming.query.decode("latin-1")
        try:
            return parse_qsl(
                text, keep_blank_values=True, errors="strict", max_num_fields=QUERY_LIMIT
            )
        except ValueError as error:
            raise InvalidInput(f"the query cannot be read: {error}") from error

    def header(self, name: str) -> str | None:
        """One header, by its name in lower case."""
        value = self._incoming.headers.get(name.encode("ascii"))
        return None if value is None else value.decode("latin-1")

    @property
    def headers(self) -> Mapping[str, str]:
        """All headers, by their names in lower case."""
        pairs = self._incoming.headers.items()
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}

    @property
    def host(self) -> str:
        """Host and port under which the client reached us: its Host header, else our address."""
        return self.header("host") or self._incoming.channel.server

    @property
    def client(self) -> str:
        """The address of the other end, without its port."""
        return self._incoming.channel.client

    def ready_body(self) -> bytes | None:
        """The body, if it is there already, as most are. Raises TooLarge."""
        if self._body is None and (body := self._incoming.take_ready_body()) is not None:
            if len(body) > self._body_limit_bytes:
                raise self._too_large()
            self._body = body
        return self._body

    async def body(self) -> bytes:
        """Raises TooLarge, and ClientGone when the client left in the middle of it."""
        if self.ready_body() is None:
            collected = io.BytesIO()
            await self._read(collected.write)
            # Unlike pieces that are joined, this is no second copy of a large body.
            self._body = collected.getvalue()
        return self._body or b""

    async def _read(self, take: Callable[[bytes], object]) -> None:
        """Hand over the body as it comes in."""
        # What it declares is refused before a byte of it is read; what it sends is counted anyway.
        declared = self.header("content-length")
        if declared and len(declared) < 20 and int(declared) > self._body_limit_bytes:
            raise self._too_large()
        size, has_more = 0, True
        while has_more:
            piece, has_more = await self._incoming.next_piece()
            size += len(piece)
            if size > self._body_limit_bytes:
                raise self._too_large()
            take(piece)

    def _too_large(self) -> TooLarge:
        return TooLarge(f"the body is over {self._body_limit_bytes} bytes")

    async def form(self) -> dict[str, Content | str]:
        """The fields of a multipart/form-data body by name: a file or typed part is a Content.

        Raises UnsupportedContent when the body is something else, InvalidInput when it is malformed.
        """
        form = Form(self.header("content-type") or "")
        if (body := self.ready_body()) is not None:
            form.feed(body)
        else:
            await self._read(form.feed)
        return form.close()

    def watch(self, leave: Callable[[], object], after_seconds: float = 0.0) -> Watch:
        """A block during which `leave` is called if the client goes away."""
        return Watch(self._incoming.gone, leave, after_seconds)

    async def unless_gone(self, work: Awaitable[Value], patience_seconds: float) -> Value:
        """Wait for something that goes on without us. Raises ClientGone when the client leaves first.

        Watching costs a task, so it begins only after the time that most answers need.
        """
        waiting = asyncio.current_task()
        assert waiting is not None  # noqa: S101 - a coroutine that runs has a task
        with self.watch(waiting.cancel, patience_seconds) as watch:
            try:
                return await work
            except asyncio.CancelledError:
                if not watch.has_left:
                    raise
                waiting.uncancel()
                raise ClientGone from None


def _unquote(segment: str) -> str:
    try:
        text = unquote(segment, errors="strict")
    except UnicodeDecodeError as error:
        raise InvalidInput("the path is not UTF-8") from error
    if not text.isprintable():
        raise InvalidInput("the path has control characters in it")
    return text


class Body(Protocol):
    """A body that is made while it is sent; `aclose` is called even when it was never begun."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None: ...


class Response(NamedTuple):
    """What a client gets. No body and no media type: an answer without content."""

    status: int
    body: bytes | Body = b""
    media_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def json(cls, status: int, value: Any, headers: tuple[tuple[str, str], ...] = ()) -> "Response":
        return cls(status, to_json(value), JSON_MEDIA_TYPE, headers)

    @classmethod
    def problem(cls, error: ServientError, instance: str) -> "Response":
        """The Problem Details of an error; `instance` is the request's path."""
        body = to_json(problem(error, instance[:INSTANCE_LIMIT]))
        return cls(error.status, body, PROBLEM_MEDIA_TYPE, retry_headers(error))

    @classmethod
    def file(cls, content: Content) -> "Response":
        return cls(200, content.body, content.media_type)

    @classmethod
    def of(cls, value: Value, accept: str | None) -> "Response":
        """A value as the client accepts it. Raises NotAcceptable."""
        return cls.file(represent(value, accept))


def retry_headers(error: ServientError) -> tuple[tuple[str, str], ...]:
    """When to try again (RFC 9110 section 10.2.3), where that may help."""
    seconds = error.retry_after_seconds
    return () if seconds is None else (("Retry-After", str(seconds)),)


# Most answers take no waiting; of others there is something to wait for.
Handler: TypeAlias = Callable[[Request], Response | Awaitable[Response]]

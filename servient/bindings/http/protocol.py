"""An HTTP/1.1 connection on httptools' parser, with limits on what a client may take of us."""

import asyncio
import contextvars
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import httptools

from servient.bindings.http.exchange import Exchange
from servient.bindings.http.limits import Limits as Limits
from servient.bindings.http.messages import Incoming, Response
from servient.bindings.http.timer import Timer
from servient.bindings.http.watch import ClientGone
from servient.errors import PROBLEM_MEDIA_TYPE, InvalidInput, ServientError, problem
from servient.wot.access import arrive_from
from servient.wot.content import to_json
from servient.wot.tracing import TRACEPARENT, parse_traceparent

logger = logging.getLogger(__name__)

_TRACE = b"traceparent"

Answer = Callable[[Incoming], Response | Awaitable[Response]]


class HeadTooLarge(ServientError):
    """The request line and headers are over their limit."""

    status = 431
    title = "Headers too large"


@dataclass(slots=True)
class Shared:
    """What the connections of a listener have in common. `date` is a whole line of a head."""

    connections: set["Connection"] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    date: bytes = b""


class Connection(asyncio.Protocol):
    """One connection of a client: requests in their order, answered one after the other.

    What can be answered at once is so within the call that brings the request; of others a task takes
    care. Requests that come before the answer to an earlier one wait, and nothing more is read.
    """

    def __init__(self, answer: Answer, shared: Shared, limits: Limits) -> None:
        self._answer = answer
        self._shared = shared
        self._limits = limits
        self._loop = loop = asyncio.get_running_loop()
        self._parser: Any = httptools.HttpRequestParser(self)
        # A client that says it will close, and sends more nevertheless, gets its answer.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._transport: Any = None
        # The one that comes in or did so last, the one that is being answered, and those in between.
        self._arriving: Exchange | None = None
        self._answering: Exchange | None = None
        self._queue: deque[Exchange] = deque()
        self._is_beginning = False
        self._head_bytes = 0
        self._is_in_head = True
        self._is_arriving = True
        self._is_read_paused = False
        self.is_write_paused = False
        self._writable = asyncio.Event()
        self._silence, self._drain, self._stall = Timer(loop), Timer(loop), Timer(loop)
        self._arrival, self._idle = Timer(loop), Timer(loop)
        # Whether it is the head of a request that is timed; None while none arrives.
        self._timed_part: bool | None = None
        self.scheme = self.client = self.server = ""

    # Life

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._shared.connections.add(self)
        self.scheme = "https" if transport.get_extra_info("sslcontext") else "http"
        peer, own = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        self.client = str(peer[0]) if peer else ""
        self.server = f"{own[0]}:{own[1]}" if own else ""
        # Requests are answered in a context of their connection, which says where they come from.
        self._context = contextvars.copy_context()
        self._context.run(arrive_from, self.client)
        if len(self._shared.connections) > self._limits.connections_limit or self._is_of_too_many():
            transport.abort()
        self._expect_data()
        self._bound_arrival()

    def _is_of_too_many(self) -> bool:
        """Whether its address has more connections than one may have."""
        connections, limit = self._shared.connections, self._limits.address_connections_limit
        if len(connections) <= limit or not self.client or ip_address(self.client).is_loopback:
            return False
        return sum(1 for each in connections if each.client == self.client) > limit

    def connection_lost(self, exc: Exception | None) -> None:
        self._shared.connections.discard(self)
        for timer in (self._silence, self._drain, self._stall, self._arrival, self._idle):
            timer.close()
        for exchange in (self._answering, self._arriving, *self._queue):
            if exchange is not None:
                exchange.lose()
        self._queue.clear()
        self._writable.set()
        self._parser = None  # which refers to us

    def shut_down(self) -> None:
        """Close as soon as what is being answered is."""
        if self._answering is None:
            self._transport.close()
        elif self._arriving is not None:
            self._arriving.keep_alive = False

    def abort(self) -> None:
        self._transport.abort()

    # What comes in

    def data_received(self, data: bytes) -> None:
        self._idle.stop()
        self._silence.stop()
        if self._transport.is_closing():
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            logger.debug("an upgrade is not possible here")  # the request is answered as it stands
        except httptools.HttpParserError as error:
            self._refuse(InvalidInput(f"not an HTTP request: {error}"))
            return
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self._limits.head_limit_bytes:
                self._refuse(HeadTooLarge(f"over {self._limits.head_limit_bytes} bytes"))
                return
        self._begin_next()  # also of a request whose body goes on
        if self._is_arriving or self._answering is None:
            self._expect_data()
        self._bound_arrival()

    def _bound_arrival(self) -> None:
        """Of a request that is there at once, as most are, nothing needs to be timed."""
        part = self._is_in_head if self._is_arriving else None
        if part is self._timed_part:
            return
        self._timed_part = part
        self._arrival.stop()
        if part is not None:
            seconds = self._limits.head_seconds if part else self._limits.body_seconds
            self._arrival.start(seconds, self._transport.abort)

    def on_message_begin(self) -> None:
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._is_in_head = self._is_arriving = True
        self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.setdefault(name.lower(), value)

    def on_headers_complete(self) -> None:
        """What is raised here makes it no request."""
        self._is_in_head = False
        parser, target = self._parser, self._target
        if target.startswith(b"/") and b"#" not in target:
            path, _, query = target.partition(b"?")
        else:
            url = httptools.parse_url(target)
            path, query = url.path or b"", url.query or b""
        exchange = self._arriving = Exchange(
            self,
            parser.get_method().decode("ascii"),
            path.decode("ascii"),
            query,
            self._headers,
            keep_alive=parser.should_keep_alive(),
        )
        if self._answering is None:
            self._answering = exchange
        else:
            self.pause_reading()
            self._queue.append(exchange)

    def on_body(self, body: bytes) -> None:
        if self._arriving is not None:
            self._arriving.take(body)

    def on_message_complete(self) -> None:
        self._is_arriving = False
        self._bound_arrival()
        self._drain.stop()
        if self._arriving is not None:
            self._arriving.end_body()
        self._begin_next()

    # What goes out

    def _begin_next(self) -> None:
        """A loop, for one that is answered at once makes room for the next."""
        if self._is_beginning:
            return
        self._is_beginning = True
        while (exchange := self._answering) is not None and not exchange.is_begun:
            exchange.is_begun = True
            self._context.run(self._begin, exchange)
        self._is_beginning = False

    def _begin(self, exchange: Exchange) -> None:
        trace = exchange.headers.get(_TRACE)
        token = TRACEPARENT.set(parse_traceparent(trace.decode("latin-1"))) if trace else None
        try:
            answer = self._answer(exchange)
            if (
                isinstance(answer, Response)
                and isinstance(answer.body, bytes)
                and not self.is_write_paused
            ):
                exchange.answer(answer)
            else:
                name = f"{exchange.method} {exchange.path[:100]}"
                task = self._loop.create_task(self._finish(exchange, answer), name=name)
                self._shared.tasks.add(task)
                task.add_done_callback(self._shared.tasks.discard)
        except Exception:  # the parser, which calls us, would take it for the client's fault
            logger.exception("%s %s failed", exchange.method, exchange.path)
            self._transport.abort()
        finally:
            if token is not None:
                TRACEPARENT.reset(token)

    async def _finish(self, exchange: Exchange, answer: Response | Awaitable[Response]) -> None:
        try:
            await exchange.send(answer if isinstance(answer, Response) else await answer)
        except ClientGone:
            logger.debug("%s %s: the client has gone", exchange.method, exchange.path)
        except asyncio.CancelledError:  # the server is stopping: this is the top of its task
            logger.debug("%s %s: cancelled", exchange.method, exchange.path)
        except Exception:  # in the middle of an answer
            logger.exception("%s %s failed", exchange.method, exchange.path)
            self._transport.abort()

    def completed(self, exchange: Exchange) -> None:
        """It is answered: the next one's turn."""
        self._answering = None
        if not exchange.keep_alive:
            self._transport.close()
        if self._transport.is_closing():
            return
        self.resume_reading()
        if self._queue:
            self._answering = self._queue.popleft()
            self._begin_next()
        elif self._is_arriving and not self._is_in_head:  # a body that nobody read
            self._drain.start(self._limits.drain_seconds, self._transport.abort)
        else:
            self._idle.start(self._limits.idle_seconds, self._transport.close)

    @property
    def date(self) -> bytes:
        return self._shared.date

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def pause_reading(self) -> None:
        if not self._is_read_paused:
            self._is_read_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._is_read_paused:
            self._is_read_paused = False
            self._transport.resume_reading()

    # Silence

    def _expect_data(self) -> None:
        self._silence.start(self._limits.silence_seconds, self._silent)

    def _silent(self) -> None:
        if self._is_read_paused:  # it is we who do not listen
            self._expect_data()
        else:
            self._transport.abort()

    # A client that does not read

    async def drained(self) -> None:
        await self._writable.wait()

    def pause_writing(self) -> None:
        self.is_write_paused = True
        self._writable.clear()
        self._expect_progress(self._transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        self._stall.stop()
        self.is_write_paused = False
        self._writable.set()

    def _expect_progress(self, unsent_bytes: int) -> None:
        def look() -> None:
            left = self._transport.get_write_buffer_size()
            if left < unsent_bytes:
                self._expect_progress(left)
            else:
                logger.info("%s takes nothing of its answer: disconnected", self.client)
                self._transport.abort()

        self._stall.start(self._limits.stall_seconds, look)

    def _refuse(self, error: ServientError) -> None:
        """Answer what is not a request, and close."""
        logger.info("%s: %s", self.client, error.detail)
        body = to_json(problem(error))
        head = (
            f"HTTP/1.1 {error.status} {error.title}\r\ncontent-type: {PROBLEM_MEDIA_TYPE}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        if self._answering is None:
            self._transport.write(head.encode("ascii") + body)
        self._transport.close()

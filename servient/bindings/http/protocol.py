"""uvicorn's HTTP/1.1 connection with the limits that it lacks, and problems for malformed requests."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from servient.errors import PROBLEM_MEDIA_TYPE, InvalidInput, ServientError, problem
from servient.wot.content import to_json

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may take.

    `silence_seconds` is the longest pause in the middle of a request, and before the first one;
    `drain_seconds` is for the rest of a body that was not read, so that the answer is not lost.
    `stall_seconds` is how long a client may take no byte of what is sent to it.
    `head_seconds` and `body_seconds` bound what arrives bit by bit, without ever being silent for long.
    `address_connections_limit` is for each address but those of this machine, where a proxy may be.
    """

    head_limit_bytes: int = 64 * 1024
    connections_limit: int = 4096
    address_connections_limit: int = 512
    silence_seconds: float = 30.0
    drain_seconds: float = 5.0
    head_seconds: float = 30.0
    body_seconds: float = 600.0
    stall_seconds: float = 30.0


class HeadTooLarge(ServientError):
    """The request line and headers are over their limit."""

    status = 431
    title = "Headers too large"


class Connection(HttpToolsProtocol):
    """One connection of a client."""

    def __init__(self, config: Config, server_state: ServerState, limits: Limits) -> None:
        super().__init__(config, server_state, app_state={})
        self._limits = limits
        self._head_bytes = 0
        self._is_in_head = True
        self._is_arriving = True
        self._silence = _Timer()
        self._drain = _Timer()
        self._stall = _Timer()
        self._arrival = _Timer()
        # Whether it is the head of a request that is timed; None while none arrives.
        self._timed_part: bool | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections_limit or self._is_of_too_many():
            transport.abort()
        self._expect_data()
        self._bound_arrival()

    def _is_of_too_many(self) -> bool:
        """Whether its address has more connections than one may have."""
        if len(self.connections) <= self._limits.address_connections_limit or self.client is None:
            return False
        address = self.client[0]
        if ip_address(address).is_loopback:
            return False
        clients = (cast("Connection", each).client for each in self.connections)
        count = sum(1 for client in clients if client is not None and client[0] == address)
        return count > self._limits.address_connections_limit

    def connection_lost(self, exc: Exception | None) -> None:
        self._silence.stop()
        self._drain.stop()
        self._arrival.stop()
        self._stall.stop()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        self._silence.stop()
        if self.transport.is_closing():
            return
        try:
            self.parser.feed_data(data)
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
        if self._is_arriving or self.cycle is None or self.cycle.response_complete:
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
            self._arrival.start(self.loop, seconds, self.transport.abort)

    # Where in a request the parser is

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head = self._is_arriving = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_arriving = False
        self._bound_arrival()
        self._drain.stop()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._is_unread_body_arriving and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self._drain.start(self.loop, self._limits.drain_seconds, self.transport.abort)

    @property
    def _is_unread_body_arriving(self) -> bool:
        return self._is_arriving and not self._is_in_head and self.cycle.response_complete

    # Silence

    def _expect_data(self) -> None:
        self._silence.start(self.loop, self._limits.silence_seconds, self._silent)

    def _silent(self) -> None:
        if self.flow.read_paused:  # it is we who do not listen
            self._expect_data()
        else:
            self.transport.abort()

    # A client that does not read

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_progress(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        self._stall.stop()
        super().resume_writing()

    def _expect_progress(self, unsent_bytes: int) -> None:
        def look() -> None:
            left = self.transport.get_write_buffer_size()
            if left < unsent_bytes:
                self._expect_progress(left)
            else:
                logger.info("%s takes nothing of its answer: disconnected", self.client)
                self.transport.abort()

        self._stall.start(self.loop, self._limits.stall_seconds, look)

    def _refuse(self, error: ServientError) -> None:
        """Answer what is not a request, and close."""
        logger.info("%s: %s", self.client, error.detail)
        body = to_json(problem(error))
        head = (
            f"HTTP/1.1 {error.status} {error.title}\r\ncontent-type: {PROBLEM_MEDIA_TYPE}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(head.encode("ascii") + body)
        self.transport.close()


class _Timer:
    """A call after a pause, unless it is stopped or started anew before."""

    __slots__ = ("_handle",)

    def __init__(self) -> None:
        self._handle: asyncio.TimerHandle | None = None

    def start(
        self, loop: asyncio.AbstractEventLoop, seconds: float, call: Callable[[], None]
    ) -> None:
        self.stop()
        self._handle = loop.call_later(seconds, call)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

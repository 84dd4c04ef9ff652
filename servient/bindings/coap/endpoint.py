"""A CoAP server on aiocoap: one socket, and a task for each request under way."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Self, TypeAlias

from aiocoap import Context, Message
from aiocoap.numbers.constants import Reliable
from aiocoap.tokenmanager import TokenManager

from servient.bindings.coap.answers import error_answer
from servient.bindings.coap.incoming import Incoming
from servient.bindings.coap.message_layer import MessageLayer
from servient.bindings.coap.plain import PlainRequests
from servient.bindings.coap.plain import Respond as RespondPlainly
from servient.bindings.coap.udp import UdpSocket
from servient.errors import Busy

logger = logging.getLogger(__name__)

REQUESTS_LIMIT = 8192
# How long those who observe may take to receive the end of it when the binding stops.
FAREWELL_SECONDS = 0.25


class Exchange:
    """One request, and the way back to who sent it."""

    def __init__(
        self,
        pipe: Any,
        layer: MessageLayer,
        request: Incoming | None = None,
        protect: Callable[[Message], Message] | None = None,
    ) -> None:
        self.request: Incoming = pipe.request if request is None else request
        self._pipe = pipe
        self._layer = layer
        self._protect = protect

    def within(self, request: Incoming, protect: Callable[[Message], Message]) -> "Exchange":
        """The same, for a request that came inside this one; its answers go as `protect` says."""
        return Exchange(self._pipe, self._layer, request, protect)

    def answer(self, message: Message) -> None:
        """Send the last, perhaps the only, response."""
        self._send(message, is_last=True)

    async def begin(self, message: Message) -> None:
        """Send the first of several responses and wait until it arrived."""
        await self._layer.delivered(self._send(message, is_last=False))

    async def notify(self, message: Message) -> None:
        """Send a further response, confirmably, and wait until it arrived (RFC 7641 section 4.5)."""
        message.transport_tuning = Reliable()
        await self.begin(message)

    def probe(self) -> None:
        """Have this ended if who has asked is not there any more."""
        self._layer.probe(self.request.remote)

    def _send(self, message: Message, *, is_last: bool) -> Message:
        if self._protect is not None:
            message = self._protect(message)
        self._pipe.add_response(message, is_last=is_last)
        return message


Respond: TypeAlias = Callable[[Exchange], Awaitable[None]]


class Endpoint(Context):
    """Serves one UDP address, between `open` and `close`. `respond` must not raise."""

    def __init__(self, respond: Respond) -> None:
        super().__init__(loop=asyncio.get_running_loop(), loggername=f"{__package__}.aiocoap")
        # What clients do wrong and networks lose is a warning to aiocoap; anybody can cause it.
        if self.log.level == logging.NOTSET:
            self.log.setLevel(logging.ERROR)
        self._respond = respond
        self._plain: PlainRequests | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closing = False
        self._layer: MessageLayer
        self._socket: UdpSocket

    @classmethod
    async def open(
        cls,
        host: str,
        port: int,
        respond: Respond,
        respond_plainly: RespondPlainly | None = None,
    ) -> Self:
        """Raises OSError when it cannot listen there.

        Plain requests, as most are, go to `respond_plainly`, if there is one, and not by way of aiocoap.
        """
        self = cls(respond)
        tokens = TokenManager(self)
        self._layer = MessageLayer(tokens)
        self._socket = await UdpSocket.open(self._layer, host, port)
        self._layer.message_interface = self._socket
        tokens.token_interface = self._layer
        self.request_interfaces.append(tokens)
        if respond_plainly is not None:
            self._plain = PlainRequests(self._layer, respond_plainly, self._start, self._has_room)
            self._socket.offer(self._plain.take)
        return self

    @property
    def port(self) -> int:
        return self._socket.port

    def render_to_pipe(self, pipe: Any) -> None:
        """Called by aiocoap with each request that is not a duplicate."""
        if self._is_closing:
            return
        if not self._has_room():
            error = Busy(f"{REQUESTS_LIMIT} requests are under way; try again later")
            pipe.add_response(error_answer(error).message(), is_last=True)
            return
        task = self._start(partial(self._respond, Exchange(pipe, self._layer)))
        pipe.on_interest_end(task.cancel)  # whoever asked has gone

    def _has_room(self) -> bool:
        return len(self._tasks) < REQUESTS_LIMIT and not self._is_closing

    def _start(self, work: Callable[[], Awaitable[None]]) -> "asyncio.Task[None]":
        task = asyncio.create_task(_logged(work), name="CoAP request")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Let subscriptions that have ended say so, then stop everything."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=FAREWELL_SECONDS)
        self._is_closing = True
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._plain is not None:
            self._plain.close()
        await self.shutdown()


async def _logged(work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except Exception:  # nobody waits for this task
        logger.exception("a request could not be answered")

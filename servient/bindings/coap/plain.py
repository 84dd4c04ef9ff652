"""Plain requests, carried out below aiocoap: no message, pipe or timer for each."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from aiocoap import Message
from aiocoap.numbers.codes import GET
from aiocoap.numbers.constants import TransportTuning
from aiocoap.numbers.types import ACK

from servient.bindings.coap.answers import Answer
from servient.bindings.coap.datagrams import acknowledgement, empty_acknowledgement
from servient.bindings.coap.memory import Memory, Remembered
from servient.bindings.coap.message_layer import READS_BYTES, WRITES_BYTES, MessageLayer
from servient.bindings.coap.plain_request import PlainRequest, parse_plain
from servient.wot.handler import Later


class Work(NamedTuple):
    """What takes waiting: `begin` gives it, and `later` is to be closed where nobody begins."""

    later: Later
    begin: Callable[[], Awaitable[Answer | Message]]


# An answer, or the first block of one that is longer than a datagram. Neither it nor the work raises.
Respond: TypeAlias = Callable[[PlainRequest], Answer | Message | Work]
# Has work done in a task.
Start: TypeAlias = Callable[[Callable[[], Awaitable[None]]], "asyncio.Task[None]"]
_Key: TypeAlias = tuple[Any, bytes | int]


class _Open:
    """A request that is not answered yet."""

    __slots__ = ("asked_at", "is_acknowledged", "memory", "remembered", "request", "task")

    def __init__(
        self, request: PlainRequest, memory: Memory, remembered: Remembered, asked_at: float
    ) -> None:
        self.request = request
        self.memory = memory
        self.remembered = remembered
        self.asked_at = asked_at
        self.is_acknowledged = False
        self.task: asyncio.Task[None] | None = None

    @property
    def key(self) -> _Key:
        return self.request.remote, self.request.token


class PlainRequests:
    """Takes datagrams before aiocoap does, and leaves to it what is more than plain.

    An answer goes in the acknowledgement when it is there in time, else as a message of its own,
    which aiocoap's layer sends until it has arrived (RFC 7252 section 5.2).
    """

    def __init__(
        self,
        layer: MessageLayer,
        respond: Respond,
        start: Start,
        has_room: Callable[[], bool],
    ) -> None:
        self._layer = layer
        self._respond = respond
        self._start = start
        self._has_room = has_room
        self._loop = asyncio.get_running_loop()
        tuning = TransportTuning()
        self._patience_seconds: float = tuning.EMPTY_ACK_DELAY
        self._reads = Memory(READS_BYTES, tuning.EXCHANGE_LIFETIME)
        self._writes = Memory(WRITES_BYTES, tuning.EXCHANGE_LIFETIME)
        self._open: dict[_Key, _Open] = {}  # by who asks and the token, the oldest first
        self._timer: asyncio.TimerHandle | None = None

    def take(self, datagram: bytes, remote: Any) -> bool:
        """False for a datagram that is to go on to aiocoap."""
        request = parse_plain(datagram, remote)
        if request is None or self._layer.awaits(remote, request.token):
            return False
        now = self._loop.time()
        memory = self._reads if request.code is GET else self._writes
        key = (remote, request.mid)
        remembered = memory.recall(key, request.token, now)
        if remembered is not None:
            if remembered.answer:
                self._send(remembered.answer, remote)
            return True
        if not self._has_room():
            return False
        if self._open:
            self._supersede(request)
        opened = _Open(request, memory, memory.put(key, request.token, now), now)
        answer = self._respond(request)
        if isinstance(answer, Work):
            self._wait(opened, answer)
        else:
            self._answer(opened, answer)
        return True

    def close(self) -> None:
        """The tasks are ended by who has started them."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._open.clear()
        self._reads.clear()
        self._writes.clear()

    def _supersede(self, request: PlainRequest) -> None:
        """A token is used anew when nobody waits for the answer to its earlier request."""
        earlier = self._open.pop((request.remote, request.token), None)
        if earlier is not None and earlier.task is not None:
            earlier.task.cancel()

    def _wait(self, opened: _Open, work: Work) -> None:
        self._open[opened.key] = opened
        opened.task = self._start(partial(self._finish, opened, work))
        opened.task.add_done_callback(lambda _: work.later.close())
        if self._timer is None:
            self._timer = self._loop.call_later(self._patience_seconds, self._acknowledge_old)

    async def _finish(self, opened: _Open, work: Work) -> None:
        try:
            answer = await work.begin()
        finally:
            if self._open.get(opened.key) is opened:
                del self._open[opened.key]
        if opened.is_acknowledged:
            self._answer_separately(opened.request, answer)
        else:
            self._answer(opened, answer)

    def _answer(self, opened: _Open, answer: Answer | Message) -> None:
        request = opened.request
        if isinstance(answer, Answer):
            data = acknowledgement(request.mid, request.token, answer)
        else:
            answer.mtype, answer.mid, answer.token = ACK, request.mid, request.token
            data = answer.encode()
        self._remember(opened, data)
        self._send(data, request.remote)

    def _answer_separately(self, request: PlainRequest, answer: Answer | Message) -> None:
        message = answer.message() if isinstance(answer, Answer) else answer
        message.remote, message.token = request.remote, request.token
        self._layer.send_message(message, lambda: None)

    def _acknowledge_old(self) -> None:
        """Who asked is not to ask again (RFC 7252 section 5.2.2)."""
        self._timer = None
        now = self._loop.time()
        for opened in tuple(self._open.values()):
            if opened.is_acknowledged:
                continue
            due_at = opened.asked_at + self._patience_seconds
            if due_at > now:
                self._timer = self._loop.call_at(due_at, self._acknowledge_old)
                return
            self._acknowledge(opened)

    def _acknowledge(self, opened: _Open) -> None:
        opened.is_acknowledged = True
        data = empty_acknowledgement(opened.request.mid)
        self._remember(opened, data)
        self._send(data, opened.request.remote)

    def _remember(self, opened: _Open, data: bytes) -> None:
        request = opened.request
        opened.memory.answer((request.remote, request.mid), opened.remembered, data)

    def _send(self, data: bytes, remote: Any) -> None:
        self._layer.message_interface.send_bytes(data, remote)

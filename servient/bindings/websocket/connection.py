"""One consumer's connection to one Thing: its requests in flight and its subscriptions."""

import asyncio
import logging
from collections.abc import Awaitable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Protocol

from servient.bindings.websocket.dialect import (
    Ask,
    Dialect,
    Perform,
    PerformOnAll,
    Rejected,
    Request,
    Subscribe,
    Unsubscribe,
    Watch,
)
from servient.bindings.websocket.served_thing import ServedThing
from servient.errors import Busy, NotFound, ServientError
from servient.wot.access import Principal, acting_as
from servient.wot.handler import Later
from servient.wot.subscription import Subscription
from servient.wot.tracing import TRACEPARENT

logger = logging.getLogger(__name__)

_FAILED = ServientError("the servient failed to carry this out")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may take.

    `patience_seconds`: a connection whose requests are all in flight is not read from for as long as
    one of them ends within this time; after that, further requests are refused at once.
    `drain_seconds`: how long a consumer may take to receive a message before it is disconnected.
    `farewell_seconds`: what requests in flight and last words have when the connection ends.
    `close_seconds`: what a consumer then has to close its side.
    """

    requests: int = 64
    subscriptions: int = 256
    patience_seconds: float = 1.0
    drain_seconds: float = 20.0
    farewell_seconds: float = 1.0
    close_seconds: float = 2.0


class Socket(Protocol):
    """The wire below a connection."""

    def send(self, message: bytes) -> bool:
        """Have a message sent soon. False when too much is under way: `drained` is to be awaited then."""

    async def drained(self) -> None:
        """Returns when all is on its way; a consumer that does not receive is cut off."""

    def shut(self, code: int, reason: str) -> None:
        """Close with a code of RFC 6455 section 7.4 and a reason of at most 123 bytes."""


class Connection:
    """Carries out what comes in, concurrently and within limits; answers as soon as it can."""

    def __init__(
        self,
        socket: Socket,
        dialect: Dialect[Any],
        thing: ServedThing,
        limits: Limits,
        principal: Principal | None = None,
        address: str = "",
    ) -> None:
        self._socket = socket
        self._dialect = dialect
        self._thing = thing
        self._limits = limits
        self._principal = principal
        self._address = address
        self._requests: set[asyncio.Task[None]] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._subscriptions: dict[Hashable, Subscription] = {}
        self._freed = asyncio.Event()
        self._progress_at = 0.0
        self._is_ending = False

    @property
    def tasks(self) -> frozenset[asyncio.Task[None]]:
        """What is under way."""
        return frozenset(self._requests | self._pumps)

    def receive(self, text: str) -> Awaitable[None] | None:
        """Take one message. What is returned is to be awaited before the next one is taken."""
        if self._is_ending:
            return None
        if len(self._requests) < self._limits.requests:
            self._start(text)
            return None
        return self._wait(text)

    def _start(self, text: str) -> None:
        with acting_as(self._principal, self._address):
            try:
                self._begin(text)
            except Exception:  # a bug in a dialect must end neither the connection nor unheard
                logger.exception("a message to %s could not be answered", self._thing.name)

    def _begin(self, text: str) -> None:
        """What ends at once is answered at once; for the rest there is a task."""
        try:
            request = self._dialect.parse(text)
        except Rejected as rejected:
            self._say(self._rejection(rejected))
            return
        trace = TRACEPARENT.set(request.traceparent)
        try:
            found = self._carry_out(request)
            if isinstance(found, Later):
                self._follow(self._finish(request, found)).add_done_callback(
                    lambda _: found.close()
                )
                return
            message = found
        except ServientError as error:
            message = self._refusal(request, error)
        except Exception:
            logger.exception("%r on %s failed", type(request.command), self._thing.name)
            message = self._refusal(request, _FAILED)
        finally:
            TRACEPARENT.reset(trace)
        self._say(message)

    def _say(self, message: bytes | None) -> None:
        if message is not None and not self._socket.send(message):
            self._follow(self._socket.drained())

    async def _send(self, message: bytes | None) -> None:
        if message is not None and not self._socket.send(message):
            await self._socket.drained()

    def _follow(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name="websocket request")
        self._requests.add(task)
        task.add_done_callback(self._free)
        if len(self._requests) == self._limits.requests:
            self._freed.clear()
            self._note_progress()
        return task

    def _free(self, task: asyncio.Task[None]) -> None:
        self._requests.discard(task)
        if len(self._requests) == self._limits.requests - 1:
            self._note_progress()
            self._freed.set()

    def _note_progress(self) -> None:
        self._progress_at = asyncio.get_running_loop().time()

    async def _wait(self, text: str) -> None:
        try:
            async with asyncio.timeout_at(self._progress_at + self._limits.patience_seconds):
                await self._freed.wait()
        except TimeoutError:
            await self._send(self._too_many(text))
        else:
            self._start(text)

    def _too_many(self, text: str) -> bytes | None:
        try:
            request = self._dialect.parse(text)
        except Rejected as rejected:
            return self._rejection(rejected)
        busy = Busy(f"{self._limits.requests} requests are under way here")
        return self._dialect.refusal(request.correlation, busy)

    async def _finish(self, request: Request[Any], later: Later) -> None:
        try:
            message = self._dialect.answer(request, await later.work)
        except ServientError as error:
            message = self._refusal(request, error)
        except Exception:
            logger.exception("%r on %s failed", type(request.command), self._thing.name)
            message = self._refusal(request, _FAILED)
        await self._send(message)

    def _rejection(self, rejected: Rejected) -> bytes | None:
        logger.debug("%s: %s", self._thing.name, rejected)
        return self._dialect.refusal(rejected.correlation, rejected.error)

    def _refusal(self, request: Request[Any], error: ServientError) -> bytes | None:
        logger.debug("%s: %s", self._thing.name, error)
        return self._dialect.refusal(request.correlation, error)

    def _carry_out(self, request: Request[Any]) -> bytes | Later | None:
        """The answer, if its sender is to have one, or what it takes to have it."""
        match request.command:
            case Perform() | PerformOnAll() | Ask() as command:
                value = self._thing.begin(command)
                return value if type(value) is Later else self._dialect.answer(request, value)
            case Unsubscribe(key=key):
                return self._dialect.answer(request, self._unsubscribe(key))
            case Subscribe() | Watch() as command:
                self._subscribe(request, command)
                return None

    def _subscribe(self, request: Request[Any], command: Subscribe | Watch) -> None:
        """The answer is sent by the pump, so that it comes before the first notification."""
        listens = command.key in self._subscriptions
        if not listens and len(self._subscriptions) >= self._limits.subscriptions:
            raise Busy(f"there are {self._limits.subscriptions} subscriptions on this connection")
        subscription = self._thing.listen(command)
        self._unsubscribe(command.key)
        self._subscriptions[command.key] = subscription
        pump = self._pump(request, command.key, subscription)
        task = asyncio.create_task(pump, name="websocket subscription")
        self._pumps.add(task)
        task.add_done_callback(self._pumps.discard)

    def _unsubscribe(self, key: Hashable) -> bool:
        subscription = self._subscriptions.pop(key, None)
        if subscription is None:
            return False
        subscription.close()
        return True

    async def _pump(self, request: Request[Any], key: Hashable, subscription: Subscription) -> None:
        if (answer := self._dialect.answer(request, None)) is not None:
            await self._send(answer)
        async for notification in subscription:
            try:
                message = self._dialect.notification(request, notification)
            except ServientError as error:
                logger.warning("%s: a notification is lost: %s", self._thing.name, error)
            else:
                await self._send(message)
        if self._subscriptions.get(key) is subscription:  # not unsubscribed: the Thing is gone
            self._unsubscribe(key)
            gone = NotFound(f"the Thing {self._thing.name!r} is no longer served")
            if (last := self._dialect.ending(request, gone)) is not None:
                await self._send(last)

    async def end(self, code: int, reason: str) -> None:
        """End the subscriptions with their last words, and close the socket."""
        self._is_ending = True
        for subscription in self._subscriptions.values():
            subscription.end()
        if tasks := self.tasks:
            await asyncio.wait(tasks, timeout=self._limits.farewell_seconds)
        self._socket.shut(code, reason)

    def abandon(self) -> None:
        """The socket is closed: nobody waits for anything any more."""
        self._is_ending = True
        for key in tuple(self._subscriptions):
            self._unsubscribe(key)
        for task in self.tasks:
            task.cancel()

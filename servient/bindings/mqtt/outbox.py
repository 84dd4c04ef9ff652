"""What is to be published: in order, bounded, and kept until the broker has acknowledged it."""

import asyncio
import itertools
import logging

from servient.mqtt.connection import Connection
from servient.mqtt.errors import ConnectionLost, MqttError
from servient.mqtt.message import Message

logger = logging.getLogger(__name__)

WAITING_LIMIT = 4096
WAITING_LIMIT_BYTES = 64 * 1024 * 1024

# A retained message replaces an earlier one of its topic that still waits; others have a number.
_Key = str | int


class Outbox:
    """Publishes on the attached connection; without one, messages wait.

    Of retained messages the latest of each topic is kept, of others the newest up to the limits:
    `dropped` counts what was lost to them. A broker that is away for long does not make topics that
    are to be cleared pile up either: with `has_lost_clears`, it may retain what is no more.
    """

    def __init__(
        self, waiting_limit: int = WAITING_LIMIT, waiting_limit_bytes: int = WAITING_LIMIT_BYTES
    ) -> None:
        self._waiting_limit = waiting_limit
        self._waiting_limit_bytes = waiting_limit_bytes
        self._connection: Connection | None = None
        self._numbers = itertools.count()
        self._waiting: dict[_Key, Message] = {}
        self._count = 0
        self._size_bytes = 0
        # Topics of retained messages that wait and are empty: of Things that are no more.
        self._clears: dict[str, None] = {}
        self._sent_count = 0
        self._unacknowledged: dict[_Key, Message] = {}
        self._empty = asyncio.Event()
        self._empty.set()
        self._is_publishing = False
        self.dropped = 0
        self.has_lost_clears = False

    def put(self, message: Message, *, can_wait: bool = False) -> None:
        """One that nobody waits for can wait a millisecond, for others to go out with it."""
        self._empty.clear()
        connection = self._connection
        if connection is not None and not self._waiting and self._sent_count < connection.window:
            self._send(connection, message, can_wait=can_wait)
            return
        if message.is_retained:
            self._waiting.pop(message.topic, None)
            self._wait_retained(message)
        else:
            self._wait(next(self._numbers), message)
        self._publish()

    def attach(self, connection: Connection) -> None:
        """Publish here from now on, beginning with what an earlier connection lost."""
        later, self._waiting = self._waiting, {}
        self._count = self._size_bytes = 0
        self._clears.clear()
        for key, message in (*self._unacknowledged.items(), *later.items()):
            if isinstance(key, int):
                self._wait(key, message)
            elif key not in later or message is later[key]:
                self._wait_retained(message)
        self._unacknowledged.clear()
        self._connection = connection
        self._publish()

    def detach(self) -> None:
        self._connection = None

    async def drained(self, seconds: float) -> bool:
        """Wait until all is acknowledged; False when that takes too long."""
        try:
            await asyncio.wait_for(self._empty.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def __len__(self) -> int:
        return len(self._waiting) + self._sent_count + len(self._unacknowledged)

    def _wait(self, key: int, message: Message) -> None:
        self._waiting[key] = message
        self._count += 1
        self._size_bytes += len(message.payload)
        while self._count > self._waiting_limit or self._size_bytes > self._waiting_limit_bytes:
            oldest = next(key for key in self._waiting if isinstance(key, int))
            self._leave(oldest)
            self.dropped += 1

    def _wait_retained(self, message: Message) -> None:
        self._waiting[message.topic] = message
        self._clears.pop(message.topic, None)
        if not message.payload:
            self._clears[message.topic] = None
        if len(self._clears) > self._waiting_limit:
            self._leave(next(iter(self._clears)))
            self.has_lost_clears = True

    def _leave(self, key: _Key) -> Message:
        message = self._waiting.pop(key)
        if isinstance(key, int):
            self._count -= 1
            self._size_bytes -= len(message.payload)
        else:
            self._clears.pop(key, None)
        return message

    def _publish(self) -> None:
        if self._is_publishing:  # one that is done at once
            return
        self._is_publishing = True
        try:
            connection = self._connection
            while connection and self._waiting and self._sent_count < connection.window:
                self._send(connection, self._leave(next(iter(self._waiting))))
        finally:
            self._is_publishing = False

    def _send(self, connection: Connection, message: Message, *, can_wait: bool = False) -> None:
        self._sent_count += 1
        connection.publish(message, self._done, can_wait=can_wait)

    def _done(self, message: Message, error: MqttError | None) -> None:
        self._sent_count -= 1
        if error is not None:
            self._failed(message, error)
        if self._waiting:
            self._publish()
        elif not len(self):
            self._empty.set()

    def _failed(self, message: Message, error: MqttError) -> None:
        if isinstance(error, ConnectionLost):
            self._connection = None  # what waits must not go before what was sent
        if isinstance(error, ConnectionLost) and message.qos:
            key = message.topic if message.is_retained else next(self._numbers)
            self._unacknowledged[key] = message
        else:
            self.dropped += 1
            logger.warning("a message on %.200s is lost: %s", message.topic, error)

"""Clears what the servient left on its broker: in an earlier run, or in a long time without it."""

import asyncio
import logging

from servient.bindings.mqtt.mirror import Mirror
from servient.bindings.mqtt.topics import Topics
from servient.mqtt.connection import Connection
from servient.mqtt.message import Message
from servient.mqtt.terms import ONLINE

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0


class Sweep:
    """Subscribes to all that is retained below the prefix, for as long as it takes to hear it."""

    def __init__(self, topics: Topics, mirror: Mirror) -> None:
        self._topics = topics
        self._mirror = mirror
        self._connection: Connection | None = None
        self._is_over = asyncio.Event()
        self.cleared = 0

    def hear(self, message: Message) -> None:
        if message.topic == self._topics.status:
            # Published after subscribing: a broker sends what it retains first.
            if not message.is_retained and message.payload == ONLINE:
                self._is_over.set()
        elif message.is_retained and message.payload and not self._mirror.retains(message.topic):
            self._clear(message.topic)

    def _clear(self, topic: str) -> None:
        """At once, however many there are: what waits for a connection is bounded."""
        if self._connection is not None:
            self._connection.publish(Message(topic, is_retained=True), _ignore)
            self.cleared += 1

    async def run(self, connection: Connection) -> None:
        """Raises MqttError. The servient's status is published meanwhile, as the mark of the end."""
        self._connection = connection
        filters = (*self._topics.state_filters, self._topics.status)
        await connection.subscribe(*filters)
        await connection.send(Message(self._topics.status, ONLINE, is_retained=True))
        try:
            await asyncio.wait_for(self._is_over.wait(), SWEEP_SECONDS)
        except TimeoutError:
            logger.info("the broker did not say what it retains")
        await connection.unsubscribe(*filters)
        if self.cleared:
            # When the broker has this one, it has all that went before.
            await connection.send(Message(self._topics.status, ONLINE, is_retained=True))
            logger.info("%d retained messages of Things that are no more are cleared", self.cleared)


def _ignore(_: Message, __: object) -> None:
    """What could not be cleared is so at the next start."""

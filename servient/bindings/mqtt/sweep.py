"""Clears what an earlier run of the same servient left on its broker."""

import asyncio
import logging

from servient.bindings.mqtt.mirror import Mirror
from servient.bindings.mqtt.outbox import Outbox
from servient.bindings.mqtt.topics import Topics
from servient.mqtt.connection import Connection
from servient.mqtt.message import Message
from servient.mqtt.terms import ONLINE

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0


class Sweep:
    """Subscribes to all that is retained below the prefix, for as long as it takes to hear it."""

    def __init__(self, topics: Topics, mirror: Mirror, outbox: Outbox) -> None:
        self._topics = topics
        self._mirror = mirror
        self._outbox = outbox
        self._is_over = asyncio.Event()
        self.cleared = 0

    def hear(self, message: Message) -> None:
        if message.topic == self._topics.status:
            # Published after subscribing: a broker sends what it retains first.
            if not message.is_retained and message.payload == ONLINE:
                self._is_over.set()
        elif message.is_retained and message.payload and not self._mirror.retains(message.topic):
            self._outbox.put(Message(message.topic, is_retained=True))
            self.cleared += 1

    async def run(self, connection: Connection) -> None:
        """Raises MqttError. The servient's status is published meanwhile, as the mark of the end."""
        filters = (*self._topics.state_filters, self._topics.status)
        await connection.subscribe(*filters)
        await connection.send(Message(self._topics.status, ONLINE, is_retained=True))
        try:
            await asyncio.wait_for(self._is_over.wait(), SWEEP_SECONDS)
        except TimeoutError:
            logger.info("the broker did not say what it retains")
        await connection.unsubscribe(*filters)
        if self.cleared:
            logger.info("%d retained messages of an earlier run are cleared", self.cleared)

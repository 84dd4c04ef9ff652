"""What the broker retains of our Things: that they are there, and their observable properties."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from servient.bindings.mqtt.messages import to_message
from servient.bindings.mqtt.outbox import Outbox
from servient.bindings.mqtt.topics import Topics
from servient.errors import NotFound, ServientError
from servient.mqtt.message import Message
from servient.mqtt.terms import ONLINE
from servient.wot.content import Value
from servient.wot.description import Affordance
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.subscription import Notification
from servient.wot.thing import ExposedThing

logger = logging.getLogger(__name__)

# A value that changes more often than that is retained no more often; the last one always is.
PAUSE_SECONDS = 0.01


@dataclass(slots=True)
class _Mirrored:
    thing: ExposedThing
    undo: Callable[[], None]
    retained: dict[str, Message] = field(default_factory=dict)


class Mirror:
    """Listens to Things; publishes their values, retained, and their events, which are not.

    Each event is published; of a value's changes in quick succession, the last.

    Only those Things that `shows` says, by their names: whoever is on the broker sees them.
    """

    def __init__(
        self,
        topics: Topics,
        outbox: Outbox,
        payload_limit_bytes: int,
        shows: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._shows = shows
        self._topics = topics
        self._outbox = outbox
        self._payload_limit_bytes = payload_limit_bytes
        self._things: dict[str, _Mirrored] = {}
        # Topics that something was retained on just now, and what is to follow it, if anything.
        self._pausing: dict[str, Message | None] = {}

    def add(self, thing: ExposedThing) -> None:
        if thing.name in self._things or not self._shows(thing.name):
            return
        mirrored = _Mirrored(thing, thing.publisher.listen(self._hear))
        self._things[thing.name] = mirrored
        self._retain(mirrored, Message(self._topics.of_thing(thing.name), ONLINE, is_retained=True))
        for affordance in thing.description:
            if affordance.kind is not AffordanceKind.PROPERTY:
                continue
            value = thing.value_of(affordance.name)
            if value is not None:
                self._publish(mirrored, affordance, value)

    def remove(self, name: str) -> None:
        """Nothing of the Thing stays on the broker."""
        mirrored = self._things.pop(name, None)
        if mirrored is None:
            return
        mirrored.undo()
        for topic in mirrored.retained:
            self._pausing.pop(topic, None)
            self._outbox.put(Message(topic, is_retained=True))

    def clear(self) -> None:
        for name in tuple(self._things):
            self.remove(name)

    def republish(self) -> None:
        """For a broker that may have forgotten everything."""
        for mirrored in self._things.values():
            for message in mirrored.retained.values():
                self._outbox.put(message)

    def retains(self, topic: str) -> bool:
        return any(topic in mirrored.retained for mirrored in self._things.values())

    @property
    def waiting(self) -> int:
        """How many values are still to be retained."""
        return sum(message is not None for message in self._pausing.values())

    def _hear(self, notification: Notification) -> None:
        mirrored = self._things.get(notification.thing)
        if mirrored is None:
            return
        try:
            affordance = mirrored.thing.description.find(notification.kind, notification.name)
        except NotFound:  # removed from the Thing meanwhile
            return
        self._publish(mirrored, affordance, notification.value)

    def _publish(self, mirrored: _Mirrored, affordance: Affordance, value: Value) -> None:
        is_state = affordance.kind is AffordanceKind.PROPERTY
        if is_state and not _is_public(affordance):
            return
        topic = self._topics.of(mirrored.thing.name, affordance)
        try:
            message = to_message(topic, value, self._payload_limit_bytes, is_retained=is_state)
        except ServientError as error:
            logger.warning("%s is not published: %s", topic, error)
            return
        if is_state:
            self._retain(mirrored, message)
        else:
            self._outbox.put(message)

    def _retain(self, mirrored: _Mirrored, message: Message) -> None:
        topic = message.topic
        mirrored.retained[topic] = message
        if topic in self._pausing:
            self._pausing[topic] = message
        else:
            self._put(message)

    def settle(self, name: str) -> None:
        """Retain at once what is to follow on the topics of a Thing."""
        mirrored = self._things.get(name)
        for topic in mirrored.retained if mirrored else ():
            if (message := self._pausing.get(topic)) is not None:
                self._pausing[topic] = None
                self._outbox.put(message)

    def _put(self, message: Message) -> None:
        self._outbox.put(message)
        self._pausing[message.topic] = None
        self._loop.call_later(PAUSE_SECONDS, self._go_on, message.topic)

    def _go_on(self, topic: str) -> None:
        if (message := self._pausing.pop(topic, None)) is not None:
            self._put(message)


def _is_public(affordance: Affordance) -> bool:
    """Everybody who may subscribe sees a retained value: only what may be read and observed."""
    return {Operation.OBSERVE_PROPERTY, Operation.READ_PROPERTY} <= affordance.operations

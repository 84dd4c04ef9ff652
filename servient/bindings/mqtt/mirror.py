"""What the broker retains of our Things: that they are there, and their observable properties."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from servient.bindings.mqtt.channels import Channel, Channels
from servient.bindings.mqtt.messages import to_message
from servient.bindings.mqtt.outbox import Outbox
from servient.bindings.mqtt.topics import Topics
from servient.errors import ServientError
from servient.mqtt.message import Message
from servient.mqtt.terms import ONLINE
from servient.wot.content import Value
from servient.wot.operations import AffordanceKind
from servient.wot.subscription import Notification
from servient.wot.thing import ExposedThing

logger = logging.getLogger(__name__)

# A value that changes more often than that is retained no more often; the last one always is.
PAUSE_SECONDS = 0.01
# In the place of a value, for a Thing's own status.
_ONLINE = object()


class _Said(NamedTuple):
    """What is to be said on a topic; it becomes bytes when it is sent, which most values never are."""

    channel: Channel
    value: Value


@dataclass(slots=True)
class _Mirrored:
    thing: ExposedThing
    undo: Callable[[], None]
    channels: Channels
    retained: dict[str, _Said] = field(default_factory=dict)
    # Topics that something waits to be retained on.
    due: set[str] = field(default_factory=set)


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
        self._pausing: dict[str, _Said | None] = {}

    def add(self, thing: ExposedThing) -> None:
        if thing.name in self._things or not self._shows(thing.name):
            return
        mirrored = _Mirrored(
            thing, thing.publisher.listen(self._hear), Channels(self._topics, thing)
        )
        self._things[thing.name] = mirrored
        status = Channel(self._topics.of_thing(thing.name), is_retained=True)
        self._retain(mirrored, _Said(status, _ONLINE))
        for affordance in thing.description:
            if affordance.kind is not AffordanceKind.PROPERTY:
                continue
            value = thing.value_of(affordance.name)
            if value is not None:
                self._publish(mirrored, affordance.kind, affordance.name, value)

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
            for retained in mirrored.retained.values():
                self._send(retained)

    def retains(self, topic: str) -> bool:
        return any(topic in mirrored.retained for mirrored in self._things.values())

    @property
    def waiting(self) -> int:
        """How many values are still to be retained."""
        return sum(retained is not None for retained in self._pausing.values())

    def _hear(self, notification: Notification) -> None:
        mirrored = self._things.get(notification.thing)
        if mirrored is not None:
            value = notification.value
            self._publish(mirrored, notification.kind, notification.name, value)

    def _publish(self, mirrored: _Mirrored, kind: AffordanceKind, name: str, value: Value) -> None:
        channel = mirrored.channels.find(kind, name)
        if channel is None:
            return
        if channel.is_retained:
            self._retain(mirrored, _Said(channel, value))
        else:
            self._send(_Said(channel, value), can_wait=True)

    def _retain(self, mirrored: _Mirrored, retained: _Said) -> None:
        topic = retained.channel.topic
        mirrored.retained[topic] = retained
        if topic in self._pausing:
            self._pausing[topic] = retained
            mirrored.due.add(topic)
        else:
            self._begin(retained)

    def settle(self, name: str) -> None:
        """Retain at once what is to follow on the topics of a Thing."""
        mirrored = self._things.get(name)
        while mirrored and mirrored.due:
            topic = mirrored.due.pop()
            if (retained := self._pausing.get(topic)) is not None:
                self._pausing[topic] = None
                self._send(retained)

    def _begin(self, retained: _Said) -> None:
        """Send it; what follows it on its topic pauses."""
        topic = retained.channel.topic
        self._pausing[topic] = None
        self._loop.call_later(PAUSE_SECONDS, self._go_on, topic)
        self._send(retained, can_wait=True)

    def _go_on(self, topic: str) -> None:
        if (retained := self._pausing.pop(topic, None)) is not None:
            self._begin(retained)

    def _send(self, said: _Said, *, can_wait: bool = False) -> None:
        channel, value = said
        limit, is_retained = self._payload_limit_bytes, channel.is_retained
        if value is _ONLINE:
            message = Message(channel.topic, ONLINE, is_retained=True)
        else:
            try:
                message = to_message(channel.topic, value, limit, is_retained=is_retained)
            except ServientError as error:
                logger.warning("%s is not published: %s", channel.topic, error)
                return
        self._outbox.put(message, can_wait=can_wait)

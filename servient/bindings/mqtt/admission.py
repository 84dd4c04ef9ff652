"""Publishes of a Thing only when the broker knows who may read it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from servient.bindings.mqtt.access import Admit
from servient.mqtt.connection import Connection
from servient.mqtt.errors import BrokerRefused, ConnectionLost
from servient.mqtt.message import Message
from servient.wot.thing import ExposedThing

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.02
PATIENCE_SECONDS = 10.0


class Admission:
    """Tells the broker which Things there are, and then `add`s those that it has taken note of.

    What is published before is lost to whoever subscribed earlier, by a pattern of topics: the broker
    does not let it through, and does not keep it.
    """

    def __init__(
        self,
        admit: Admit,
        things: Callable[[], Iterable[ExposedThing]],
        add: Callable[[ExposedThing], None],
        connected: Callable[[], Awaitable[Connection]],
    ) -> None:
        self._admit = admit
        self._things = things
        self._add = add
        self._connected = connected
        self._is_due = False
        self._task: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        return self._task is None or self._task.done()

    def due(self) -> None:
        """Things have come or gone. Once is enough for all that do so in this moment."""
        self._is_due = True
        if self.is_over:
            self._task = asyncio.create_task(self._run(), name="MQTT admission")

    async def stop(self) -> None:
        self._is_due = False
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self._is_due:
            self._is_due = False
            admitted = {thing.name for thing in self._things()}
            await self._until(self._admit(thing.description for thing in self._things()))
            for thing in self._things():  # without those that have gone meanwhile
                if thing.name in admitted:
                    self._add(thing)

    async def _until(self, mark: str) -> None:
        """Wait until the broker lets us publish on a topic that it has heard of just now."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                # It tells nobody when it has read its files.
                while not await self._takes(mark):  # noqa: ASYNC110
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            logger.warning("the MQTT broker does not say that it knows who may do what")

    async def _takes(self, topic: str) -> bool:
        connection = await self._connected()
        try:
            await connection.send(Message(topic))
        except (BrokerRefused, ConnectionLost):
            return False
        return True

"""A connection that is kept up: lost, it is made again after growing pauses."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable

from servient.mqtt.connection import Connection
from servient.mqtt.errors import MqttError

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 15.0
# What holds for so long was no accident: the next pause is a short one again.
STABLE_SECONDS = 30.0
# How long a start waits for a first connection that it can do without.
PATIENCE_SECONDS = 3.0

Open = Callable[[], Awaitable[Connection]]
Use = Callable[[Connection], Awaitable[None]]


class Session:
    """Opens a connection with `open`, hands it to `use`, and does so again whenever it is lost.

    `use` subscribes and brings the broker up to date; an MqttError from it counts as a lost
    connection. `dropped` is called after a loss.
    """

    def __init__(self, open: Open, use: Use, dropped: Callable[[], None]) -> None:  # noqa: A002 - reads best
        self._open = open
        self._use = use
        self._dropped = dropped
        self._connection: Connection | None = None
        self._changed = asyncio.Event()
        self._has_tried = asyncio.Event()
        self._pause_seconds = 0.0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """The first connection. Raises MqttError when there is none to be had."""
        self._keep_up(await self._connect())

    async def begin(self) -> None:
        """The first connection, or none yet: it is tried again until there is one."""
        self._has_tried.clear()
        self._keep_up(None)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._has_tried.wait(), PATIENCE_SECONDS)

    async def stop(self) -> None:
        """Disconnect, and stay so."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    @property
    def connection(self) -> Connection | None:
        """The connection in use, None while there is none."""
        return self._connection

    async def connected(self) -> Connection:
        """The connection in use, as soon as there is one."""
        while self._connection is None:
            self._changed.clear()
            await self._changed.wait()
        return self._connection

    def _keep_up(self, connection: Connection | None) -> None:
        self._pause_seconds = 0.0
        self._task = asyncio.create_task(self._keep(connection), name="MQTT session")

    async def _connect(self) -> Connection:
        connection = await self._open()
        try:
            await self._use(connection)
        except BaseException:
            connection.abort("it could not be used")
            self._dropped()
            raise
        self._connection = connection
        self._changed.set()
        return connection

    async def _keep(self, connection: Connection | None) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection = connection or await self._reconnect()
            since = loop.time()
            reason = await asyncio.shield(connection.lost)
            connection = self._connection = None
            self._dropped()
            logger.warning("the connection to the MQTT broker was lost: %s", reason)
            if loop.time() - since > STABLE_SECONDS:
                self._pause_seconds = 0.0
            self._lengthen_pause()

    async def _reconnect(self) -> Connection:
        while True:
            # Servients that lost the same broker do not come back all at once.
            await asyncio.sleep(self._pause_seconds * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            try:
                connection = await self._connect()
            except MqttError as error:
                level = logging.INFO if self._has_tried.is_set() else logging.WARNING
                logger.log(level, "no connection to the MQTT broker yet: %s", error)
                self._lengthen_pause()
            else:
                logger.info("connected to the MQTT broker")
                return connection
            finally:
                self._has_tried.set()

    def _lengthen_pause(self) -> None:
        longer = max(2 * self._pause_seconds, FIRST_PAUSE_SECONDS)
        self._pause_seconds = min(longer, LONGEST_PAUSE_SECONDS)

"""A connection that is kept up: lost, it is made again after growing pauses."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from servient.mqtt.connection import Connection
from servient.mqtt.errors import MqttError

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 15.0

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
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """The first connection. Raises MqttError when there is none to be had."""
        connection = await self._connect()
        self._task = asyncio.create_task(self._keep(connection), name="MQTT session")

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

    async def _keep(self, connection: Connection) -> None:
        while True:
            reason = await asyncio.shield(connection.lost)
            self._connection = None
            self._dropped()
            logger.warning("the connection to the MQTT broker was lost: %s", reason)
            connection = await self._reconnect()
            logger.info("connected to the MQTT broker again")

    async def _reconnect(self) -> Connection:
        pause = FIRST_PAUSE_SECONDS
        while True:
            # Servients that lost the same broker do not come back all at once.
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            try:
                return await self._connect()
            except MqttError as error:
                logger.info("no connection to the MQTT broker yet: %s", error)

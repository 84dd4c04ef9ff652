"""A client's one connection to a broker: topics that are listened to, requests that are answered."""

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import AsyncIterator, Callable

from servient.mqtt.connection import Connection, connect
from servient.mqtt.errors import ConnectionLost, MqttError
from servient.mqtt.message import Broker, Message
from servient.mqtt.session import Session
from servient.mqtt.terms import OUTPUT, PROBLEM
from servient.wot.tracing import TRACEPARENT

Listener = Callable[[Message], None]


class MqttLink:
    """Connects when it is first used, and again when the connection was lost, until it is closed."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._session = Session(self._open, self._use, self._dropped)
        self._starting = asyncio.Lock()
        self._is_started = False
        self._listeners: dict[str, list[Listener]] = {}
        self._answers: dict[bytes, asyncio.Future[Message]] = {}
        self._numbers = itertools.count()
        # A broker that keeps its clients apart lets each read below its own name alone.
        own = f"{broker.username}/" if broker.username else ""
        self._own_topic = f"answers/{own}{secrets.token_hex(8)}"

    async def close(self) -> None:
        await self._session.stop()
        self._dropped()

    async def connection(self) -> Connection:
        """Waits while there is none. Raises MqttError when the first one cannot be had."""
        async with self._starting:
            if not self._is_started:
                await self._session.start()
                self._is_started = True
        return await self._session.connected()

    @contextlib.asynccontextmanager
    async def listening(self, listener: Listener, *topics: str) -> AsyncIterator[Connection]:
        """Have `listener` called with messages on these topics, those that are retained first.

        The broker sends these again when somebody else begins to listen to the same topic.
        """
        connection = await self.connection()
        for topic in topics:
            self._listeners.setdefault(topic, []).append(listener)
        try:
            await connection.subscribe(*topics)
            yield connection
        finally:
            for topic in topics:
                self._listeners[topic].remove(listener)
            unused = [topic for topic in topics if not self._listeners[topic]]
            for topic in unused:
                del self._listeners[topic]
            if unused and (still := self._session.connection) is not None:
                with contextlib.suppress(MqttError):
                    await still.unsubscribe(*unused)

    async def ask(self, topic: str, below: str, payload: bytes, media_type: str | None) -> Message:
        """Publish a request and wait for its answer, as the broker's version of MQTT allows.

        `below` is where one of 3.1.1 is made. Raises MqttError.
        """
        connection = await self.connection()
        if connection.version < 5:
            return await self._ask_below(below, payload)
        correlation, answer = self._expect()
        try:
            request = Message(
                topic,
                payload,
                content_type=media_type,
                response_topic=self._own_topic,
                correlation=correlation,
                traceparent=TRACEPARENT.get(),
            )
            await connection.send(request)
            return await answer
        finally:
            self._forget(correlation)

    async def _ask_below(self, topic: str, payload: bytes) -> Message:
        """A PUBLISH of 3.1.1 has no room for a Response Topic: the topic of the request names it."""
        answers: asyncio.Queue[Message] = asyncio.Queue()
        topics = (f"{topic}/{OUTPUT}", f"{topic}/{PROBLEM}")
        async with self.listening(answers.put_nowait, *topics) as connection:
            await connection.send(Message(topic, payload))
            return await answers.get()

    async def retained(self, topic: str) -> Message | None:
        """What the broker retains on a topic; None when that is nothing. Raises MqttError."""
        found: asyncio.Queue[Message | None] = asyncio.Queue()
        correlation, mark = self._expect()
        mark.add_done_callback(lambda _: found.put_nowait(None))
        try:
            async with self.listening(found.put_nowait, topic) as connection:
                # A broker sends what it retains before what is published afterwards.
                await connection.send(
                    Message(self._own_topic, correlation, correlation=correlation)
                )
                message = await found.get()
            if message is None:
                mark.result()  # raises when the connection was lost
            return message
        finally:
            self._forget(correlation)

    def _expect(self) -> tuple[bytes, asyncio.Future[Message]]:
        correlation = b"%d" % next(self._numbers)
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._answers[correlation] = future
        return correlation, future

    def _forget(self, correlation: bytes) -> None:
        future = self._answers.pop(correlation)
        if not future.cancel() and not future.cancelled():
            future.exception()  # nobody else may have looked

    async def _open(self) -> Connection:
        return await connect(self._broker, self._receive)

    async def _use(self, connection: Connection) -> None:
        await connection.subscribe(self._own_topic, *self._listeners)

    def _dropped(self) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionLost(f"the connection to {self._broker} was lost"))

    def _receive(self, message: Message) -> None:
        if message.topic == self._own_topic:
            # With MQTT 3.1.1 only our own marks come here, whose payload says the same.
            answer = self._answers.get(message.correlation or message.payload)
            if answer is not None and not answer.done():
                answer.set_result(message)
        for listener in tuple(self._listeners.get(message.topic, ())):
            listener(message)

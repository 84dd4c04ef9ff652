"""paho-mqtt's client with its network thread, bridged into asyncio."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PATIENCE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Received:
    """A message; with MQTT 3.1.1 it has none of the last three."""

    topic: str
    payload: bytes
    qos: int
    is_retained: bool
    content_type: str | None
    response_topic: str | None
    correlation: bytes | None


Messages = asyncio.Queue[Received]


class PahoClient:
    """An asynchronous context manager: entering connects, leaving disconnects."""

    def __init__(self, host: str, port: int, version: int = 5) -> None:
        self._address = host, port
        self.version = version
        self._loop = asyncio.get_running_loop()
        self._listeners: dict[str, list[Messages]] = {}
        self._acknowledged: dict[int, asyncio.Future[None]] = {}
        self._connected: asyncio.Future[None] = self._loop.create_future()
        client = self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion(version)
        )
        client.on_connect = lambda *_: self._call(_finish, self._connected)
        client.on_publish = lambda _c, _u, packet, *_: self._call(self._acknowledge, packet)
        client.on_subscribe = lambda _c, _u, packet, *_: self._call(self._acknowledge, packet)
        client.on_unsubscribe = lambda _c, _u, packet, *_: self._call(self._acknowledge, packet)
        client.on_message = lambda _c, _u, message: self._call(self._dispatch, message)

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._client.connect, *self._address)
        self._client.loop_start()
        await asyncio.wait_for(self._connected, PATIENCE_SECONDS)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)
        self._client.reinitialise()  # paho leaves its two sockets for waking to the collector

    async def publish(
        self,
        topic: str,
        payload: bytes | str = b"",
        *,
        qos: int = 1,
        retain: bool = False,
        **properties: Any,
    ) -> None:
        """`properties` are named as by paho: ResponseTopic, CorrelationData, ContentType."""
        named: Properties | None = None
        if properties:
            named = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho's
            for name, value in properties.items():
                setattr(named, name, value)
        sent = self._client.publish(topic, payload, qos, retain, named)
        await self._wait(sent.mid)

    @contextlib.asynccontextmanager
    async def listening(self, *filters: str) -> AsyncIterator[Messages]:
        """What comes on these topics from now on, the retained messages first."""
        messages: Messages = asyncio.Queue()
        for each in filters:
            self._listeners.setdefault(each, []).append(messages)
        try:
            await self._wait(self._client.subscribe([(each, 1) for each in filters])[1])
            yield messages
        finally:
            for each in filters:
                self._listeners[each].remove(messages)
            unused = [each for each in filters if not self._listeners[each]]
            if unused and self._client.is_connected():
                await self._wait(self._client.unsubscribe(unused)[1])

    # What paho's thread calls

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:
        self._loop.call_soon_threadsafe(function, *arguments)

    def _acknowledge(self, packet: int) -> None:
        _finish(self._acknowledged.setdefault(packet, self._loop.create_future()))

    def _dispatch(self, message: mqtt.MQTTMessage) -> None:
        for topic_filter, listeners in self._listeners.items():
            if mqtt.topic_matches_sub(topic_filter, message.topic):
                for messages in listeners:
                    messages.put_nowait(_to_received(message))

    async def _wait(self, packet: int | None) -> None:
        """Raises ConnectionError for a packet that was not sent, since the broker is away."""
        if packet is None:
            raise ConnectionError("there is no connection to the broker")
        future = self._acknowledged.setdefault(packet, self._loop.create_future())
        await asyncio.wait_for(future, PATIENCE_SECONDS)
        del self._acknowledged[packet]


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _to_received(message: mqtt.MQTTMessage) -> Received:
    properties = message.properties
    return Received(
        message.topic,
        bytes(message.payload),
        message.qos,
        message.retain,
        getattr(properties, "ContentType", None),
        getattr(properties, "ResponseTopic", None),
        getattr(properties, "CorrelationData", None),
    )

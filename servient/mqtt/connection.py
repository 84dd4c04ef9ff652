"""One connection to an MQTT broker: what is sent, subscribed and acknowledged on it."""

import asyncio
import logging
import secrets
import socket
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from servient.mqtt.errors import BrokerRefused, BrokerUnreachable, ConnectionLost
from servient.mqtt.message import Broker, Identity, Message
from servient.mqtt.paho import (
    SUCCESS,
    Client,
    ReasonCode,
    subscription,
    to_message,
)
from servient.mqtt.probe import find_version

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
ACKNOWLEDGE_SECONDS = 10.0
DISCONNECT_SECONDS = 2.0
# Messages on their way to the broker at once; it may want fewer.
WINDOW = 64
PACKET_LIMIT_BYTES = 64 * 1024 * 1024

Receive = Callable[[Message], None]


async def connect(
    broker: Broker,
    receive: Receive,
    *,
    will: Message | None = None,
    packet_limit_bytes: int = PACKET_LIMIT_BYTES,
    identity: Identity | None = None,
) -> "Connection":
    """A connection over MQTT 5, or over 3.1.1 where the broker speaks nothing newer.

    `receive` is called on the loop with each message. Without an identity the session is clean:
    nothing of it stays on the broker. Raises BrokerUnreachable or BrokerRefused.
    """
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = Connection(broker, receive, await find_version(broker), identity)
            await connection.open(will, packet_limit_bytes)
            return connection
    except TimeoutError as error:
        raise BrokerUnreachable(f"{broker} did not answer in time") from error


class Connection:
    """`lost` is done when the connection has ended, with the reason as its result.

    `version` is 5, or 4 for MQTT 3.1.1. `window` is how many messages may be on their way.
    """

    def __init__(
        self, broker: Broker, receive: Receive, version: int, identity: Identity | None = None
    ) -> None:
        self._broker = broker
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._identity = identity
        self._client_id = identity.client_id if identity else new_client_id()
        self.version = version
        self.window = WINDOW
        self.lost: asyncio.Future[str] = self._loop.create_future()
        self._client: Client
        self._packet_limit_bytes: int | None = None
        self._accepted: asyncio.Future[None] = self._loop.create_future()
        self._unacknowledged: dict[int, asyncio.Future[None]] = {}
        self._subscribing: dict[int, asyncio.Future[None]] = {}
        self._waiting: deque[tuple[Message, asyncio.Future[None]]] = deque()
        self._unaccepted: set[int] = set()

    async def open(self, will: Message | None, packet_limit_bytes: int) -> None:
        """Raises BrokerUnreachable, BrokerRefused, or ConnectionLost when there is no answer."""
        try:
            connected = await _open_socket(self._broker)
        except OSError as error:
            raise BrokerUnreachable(f"{self._broker} cannot be reached: {error}") from error
        client = self._client = Client(
            connected, self._client_id, self.version, self._ended, self._identity
        )
        client.paho.on_connect = self._on_connect
        client.paho.on_message = self._on_message
        client.paho.on_publish = self._on_publish
        client.paho.on_subscribe = self._on_subscribe
        client.paho.on_unsubscribe = self._on_subscribe
        try:
            client.begin(self._broker, will, packet_limit_bytes)
            await self._accepted
        except BaseException:
            client.end("no connection came about")
            raise

    async def close(self) -> None:
        """Disconnect for good; the broker does not publish the will."""
        if not self.lost.done():
            self._client.disconnect()
            await asyncio.wait({self.lost}, timeout=DISCONNECT_SECONDS)
        self.abort("disconnected")

    def abort(self, reason: str) -> None:
        """End the connection without a word: the broker publishes the will."""
        self._client.end(reason)

    def send(self, message: Message) -> asyncio.Future[None]:
        """Done when the broker has it (QoS 0: when it is written).

        Fails with ConnectionLost, or with BrokerRefused for what the broker never will take.
        Messages go out in the order of the calls, whether or not anybody awaits them.
        """
        future = self._loop.create_future()
        if self.lost.done():
            future.set_exception(ConnectionLost(self.lost.result()))
        elif self._waiting or len(self._unacknowledged) >= self.window:
            self._waiting.append((message, future))
        else:
            self._publish(message, future)
        return future

    async def subscribe(self, *filters: str, is_own_heard: bool = True) -> None:
        """Raises MqttError. What we publish ourselves is always heard with MQTT 3.1.1."""
        self._check_open()
        entries: Any = [
            subscription(each, self.version, is_own_heard=is_own_heard) for each in filters
        ]
        await self._acknowledged(*self._client.paho.subscribe(entries))

    async def unsubscribe(self, *filters: str) -> None:
        """Raises MqttError."""
        self._check_open()
        await self._acknowledged(*self._client.paho.unsubscribe(list(filters)))

    def _check_open(self) -> None:
        if self.lost.done():
            raise ConnectionLost(self.lost.result())

    async def _acknowledged(self, result: int, packet_id: int | None) -> None:
        if result != SUCCESS or packet_id is None:
            raise ConnectionLost("there is no connection")
        future = self._subscribing[packet_id] = self._loop.create_future()
        try:
            async with asyncio.timeout(ACKNOWLEDGE_SECONDS):
                await future
        except TimeoutError as error:
            raise BrokerUnreachable(f"{self._broker} did not acknowledge in time") from error
        finally:
            self._subscribing.pop(packet_id, None)

    def _publish(self, message: Message, future: asyncio.Future[None]) -> None:
        try:
            self._check_message(message)
            result, packet_id = self._client.publish(message)
        except ValueError as error:
            future.set_exception(BrokerRefused(f"cannot be published: {error}"))
            return
        if result != SUCCESS:
            future.set_exception(ConnectionLost("there is no connection"))
        else:
            self._unacknowledged[packet_id] = future

    def _check_message(self, message: Message) -> None:
        """What brokers end connections over, and paho lets pass (MQTT 5 sections 3.2.2.3.6, 4.7.3)."""
        if not message.topic:
            raise ValueError("the topic is empty")
        limit, headers = self._packet_limit_bytes, 2 * len(message.topic) + 4096
        if limit is not None and len(message.payload) + headers > limit:
            raise ValueError(f"the broker takes no more than {limit} bytes")

    def _ended(self, reason: str) -> None:
        if not self._accepted.done():
            self._accepted.set_exception(ConnectionLost(f"{self._broker}: {reason}"))
        self.lost.set_result(reason)
        unfinished = [*self._unacknowledged.values(), *self._subscribing.values()]
        unfinished += [future for _, future in self._waiting]
        self._unacknowledged.clear()
        self._unaccepted.clear()
        self._waiting.clear()
        for future in unfinished:
            if not future.done():
                future.set_exception(ConnectionLost(reason))

    # What paho calls

    def _on_connect(
        self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, properties: Any
    ) -> None:
        if self._accepted.done():
            return
        if reason.is_failure:
            message = f"{self._broker} refuses the connection: {reason}"
            self._accepted.set_exception(BrokerRefused(message))
            return
        self.window = min(WINDOW, getattr(properties, "ReceiveMaximum", WINDOW))
        self._packet_limit_bytes = getattr(properties, "MaximumPacketSize", None)
        self._accepted.set_result(None)

    def _on_message(self, _client: Any, _data: Any, received: Any) -> None:
        if received.qos:
            self._unaccepted.add(received.mid)
        acknowledge = partial(self._acknowledge, received.mid, received.qos)
        try:
            message = to_message(received, acknowledge)
        except UnicodeDecodeError:
            logger.info("%s sent a topic that is not UTF-8", self._broker)
            acknowledge()
            return
        try:
            self._receive(message)
        except Exception:  # a bug of ours must not end the connection
            logger.exception("a message on %.200s was not handled", message.topic)
            acknowledge()

    def _acknowledge(self, packet_id: int, qos: int) -> None:
        """Once, and on the connection that the message came on (paho does nothing but for an identity)."""
        if packet_id in self._unaccepted:
            self._unaccepted.discard(packet_id)
            self._client.paho.ack(packet_id, qos)

    def _on_publish(
        self, _client: Any, _data: Any, packet_id: int, reason: ReasonCode, _properties: Any
    ) -> None:
        future = self._unacknowledged.pop(packet_id, None)
        if future is not None and not future.done():
            if reason.is_failure:
                future.set_exception(BrokerRefused(f"the broker refuses the message: {reason}"))
            else:
                future.set_result(None)
        while self._waiting and len(self._unacknowledged) < self.window:
            self._publish(*self._waiting.popleft())

    def _on_subscribe(
        self, _client: Any, _data: Any, packet_id: int, reasons: Any, _properties: Any
    ) -> None:
        future = self._subscribing.get(packet_id)
        if future is None or future.done():
            return
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            future.set_exception(BrokerRefused(f"the broker refuses to subscribe: {refused[0]}"))
        else:
            future.set_result(None)


def new_client_id() -> str:
    """Nobody else's. Clients of 3.1.1 can count on 23 letters and digits only (section 3.1.3.1)."""
    return f"servient{secrets.token_hex(7)}"


async def _open_socket(broker: Broker) -> socket.socket:
    """A connected socket. Raises OSError."""
    loop = asyncio.get_running_loop()
    failure = OSError("the name has no address")
    for family, kind, protocol, _, address in await loop.getaddrinfo(
        broker.host, broker.port, type=socket.SOCK_STREAM
    ):
        opened = socket.socket(family, kind, protocol)
        opened.setblocking(False)
        try:
            await loop.sock_connect(opened, address)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            opened.close()
            failure = error
        except BaseException:
            opened.close()
            raise
        else:
            return opened
    raise failure

"""One connection to an MQTT broker: what is sent, subscribed and acknowledged on it."""

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from servient.mqtt.errors import BrokerRefused, BrokerUnreachable, ConnectionLost, MqttError
from servient.mqtt.message import Broker, Identity, Message, new_client_id
from servient.mqtt.packets import (
    FAILURE,
    PUBACK,
    PUBLISH,
    Malformed,
    parse_publish,
    to_puback,
    to_publish,
)
from servient.mqtt.paho import SUCCESS, Client, ReasonCode, refusal, subscription
from servient.mqtt.probe import find_version
from servient.mqtt.wire import Wire, open_socket

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
ACKNOWLEDGE_SECONDS = 10.0
DISCONNECT_SECONDS = 2.0
# Messages on their way to the broker at once; it may want fewer.
WINDOW = 64
PACKET_LIMIT_BYTES = 64 * 1024 * 1024
# The ids of what is published; paho has those below for its own packets.
_PACKET_IDS = range(0x8000, 0x10000)

Receive = Callable[[Message], None]
# Called with a message, and None when the broker has it (QoS 0: when it is on its way), else the reason.
Done = Callable[[Message, MqttError | None], None]


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
        self._wire: Wire
        self._client: Client
        self._packet_limit_bytes: int | None = None
        self._accepted: asyncio.Future[None] = self._loop.create_future()
        self._packet_ids = itertools.cycle(_PACKET_IDS)
        self._unacknowledged: dict[int, tuple[Message, Done]] = {}
        self._subscribing: dict[int, asyncio.Future[None]] = {}
        self._waiting: deque[tuple[Message, Done]] = deque()
        self._unaccepted: set[int] = set()
        self._kinds = {PUBLISH: self._take_message, PUBACK: self._take_acknowledgement}

    async def open(self, will: Message | None, packet_limit_bytes: int) -> None:
        """Raises BrokerUnreachable, BrokerRefused, or ConnectionLost when there is no answer."""
        try:
            connected = await open_socket(self._broker.host, self._broker.port)
        except OSError as error:
            raise BrokerUnreachable(f"{self._broker} cannot be reached: {error}") from error
        wire = self._wire = Wire(connected, self._take, self._go_on, self._ended)
        client = self._client = Client(wire, self._client_id, self.version, self._identity)
        client.paho.on_connect = self._on_connect
        client.paho.on_subscribe = self._on_subscribe
        client.paho.on_unsubscribe = self._on_subscribe
        try:
            wire.open()
            client.begin(self._broker, will, packet_limit_bytes)
            await self._accepted
        except BaseException:
            wire.end("no connection came about")
            raise

    async def close(self) -> None:
        """Disconnect for good; the broker does not publish the will."""
        if not self.lost.done():
            self._client.disconnect()
            await asyncio.wait({self.lost}, timeout=DISCONNECT_SECONDS)
        self.abort("disconnected")

    def abort(self, reason: str) -> None:
        """End the connection without a word: the broker publishes the will."""
        self._wire.end(reason)

    def send(self, message: Message) -> asyncio.Future[None]:
        """Done when the broker has it (QoS 0: when it is on its way).

        Fails with ConnectionLost, or with BrokerRefused for what the broker never will take.
        Messages go out in the order of the calls, whether or not anybody awaits them.
        """
        future = self._loop.create_future()

        def done(_: Message, error: MqttError | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

        self.publish(message, done)
        return future

    def publish(self, message: Message, done: Done, *, can_wait: bool = False) -> None:
        """Like `send`, for those who send much. `done` may be called before this returns.

        What can wait may go out a millisecond later, with others.
        """
        if self.lost.done():
            done(message, ConnectionLost(self.lost.result()))
        elif self._waiting or not self._has_room:
            self._waiting.append((message, done))
        else:
            self._publish(message, done, can_wait=can_wait)

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

    @property
    def _has_room(self) -> bool:
        return len(self._unacknowledged) < self.window and not self._wire.is_full

    def _publish(self, message: Message, done: Done, *, can_wait: bool = False) -> None:
        packet_id = self._free_packet_id() if message.qos else 0
        limit = self._packet_limit_bytes
        try:
            packet = to_publish(message, packet_id, self.version)
            if limit is not None and len(packet) > limit:  # a broker ends the connection over it
                raise ValueError(f"the broker takes no more than {limit} bytes")
        except ValueError as error:
            done(message, BrokerRefused(f"cannot be published: {error}"))
            return
        self._wire.write(packet, can_wait=can_wait)
        if packet_id:
            self._unacknowledged[packet_id] = message, done
        else:
            done(message, None)

    def _free_packet_id(self) -> int:
        while (packet_id := next(self._packet_ids)) in self._unacknowledged:
            pass  # of a message that the broker has left aside for long
        return packet_id

    def _go_on(self) -> None:
        while self._waiting and self._has_room:
            self._publish(*self._waiting.popleft())

    def _ended(self, reason: str) -> None:
        self._client.end()
        if not self._accepted.done():
            self._accepted.set_exception(ConnectionLost(f"{self._broker}: {reason}"))
        self.lost.set_result(reason)
        unfinished = [*self._unacknowledged.values(), *self._waiting]
        subscribing = tuple(self._subscribing.values())
        self._unacknowledged.clear()
        self._unaccepted.clear()
        self._waiting.clear()
        for message, done in unfinished:
            done(message, ConnectionLost(reason))
        for future in subscribing:
            if not future.done():
                future.set_exception(ConnectionLost(reason))

    # What comes in

    def _take(self, first: int, body: bytes) -> None:
        """Raises anything for a packet that is malformed, which ends the connection."""
        take = self._kinds.get(first >> 4)
        if take is None:
            self._client.take(first, body)
        elif self._accepted.done():
            take(first, body)
        else:
            raise Malformed("a message comes before the connection is accepted")

    def _take_message(self, first: int, body: bytes) -> None:
        # Without an identity, a message is acknowledged by itself.
        acknowledge = self._acknowledge if self._identity is not None else None
        message = parse_publish(first, body, self.version, acknowledge)
        if message.qos:
            self._unaccepted.add(message.packet_id)
        try:
            self._receive(message)
        except Exception:  # a bug of ours must not end the connection
            logger.exception("a message on %.200s was not handled", message.topic)
            message.acknowledge()
        if message.qos and acknowledge is None:
            self._acknowledge(message.packet_id)

    def _acknowledge(self, packet_id: int) -> None:
        """Once, and on the connection that the message came on."""
        if packet_id in self._unaccepted:
            self._unaccepted.discard(packet_id)
            self._wire.write(to_puback(packet_id))

    def _take_acknowledgement(self, _: int, body: bytes) -> None:
        if len(body) < 2:
            raise Malformed("an acknowledgement says not of what")
        found = self._unacknowledged.pop(body[0] << 8 | body[1], None)
        code = body[2] if len(body) > 2 else 0
        if found is not None:
            message, done = found
            is_taken = code < FAILURE
            error = None if is_taken else BrokerRefused(f"the broker refuses it: {refusal(code)}")
            done(message, error)
        if self._waiting:
            self._go_on()

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

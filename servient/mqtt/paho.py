"""The only file that knows paho-mqtt: its client on the event loop, its properties made cheap."""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any, Literal

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from servient.mqtt.message import Broker, Identity, Message

__all__ = ["Client", "ReasonCode", "subscription", "to_message"]

logger = logging.getLogger(__name__)

SUCCESS = MQTTErrorCode.MQTT_ERR_SUCCESS
KEEPALIVE_SECONDS = 30
TICK_SECONDS = 1.0
READ_BYTES = 64 * 1024

_CONTENT_TYPE, _RESPONSE_TOPIC, _CORRELATION = b"\x03", b"\x08", b"\x09"
# Success, and that nobody subscribes (MQTT 5 section 3.4.2.1).
_SUCCESSES = (0x00, 0x10)
_USER_PROPERTY, _TRACEPARENT = b"\x26", "traceparent"


class Client:
    """paho's client without its threads, on a socket that is connected already.

    `on_end` is called once, with the reason, when the connection is over; the socket is closed then.
    The other callbacks are paho's and set on `paho`.
    """

    def __init__(
        self,
        connected: socket.socket,
        client_id: str,
        version: int,
        on_end: Callable[[str], None],
        identity: Identity | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._identity = identity
        self.paho = _OnSocket(connected, client_id, version, is_kept=identity is not None)
        self.paho.on_socket_open = lambda *_: self._loop.add_reader(connected, self._read)
        self.paho.on_socket_close = lambda *_: self._forget_socket()
        self.paho.on_socket_register_write = self._has_something
        self.paho.on_disconnect = lambda _c, _d, _f, reason, _p: self.end(str(reason))
        self._socket = connected
        self._on_end: Callable[[str], None] | None = on_end
        self._timer: asyncio.TimerHandle | None = None
        self._is_writer_waiting = False

    def begin(self, broker: Broker, will: Message | None, packet_limit_bytes: int) -> None:
        """Send CONNECT; `on_connect` hears the answer."""
        if broker.username is not None:
            self.paho.username_pw_set(broker.username, broker.password)
        if will is not None:
            self.paho.will_set(will.topic, will.payload, will.qos, will.is_retained)
        options: dict[str, Any] = {}
        if self._is_newer:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho's
            properties.MaximumPacketSize = packet_limit_bytes
            if self._identity is not None:
                properties.SessionExpiryInterval = self._identity.keep_seconds
                properties.ReceiveMaximum = self._identity.unacknowledged_limit
            options = {"clean_start": self._identity is None, "properties": properties}
        self.paho.connect(broker.host, broker.port, KEEPALIVE_SECONDS, **options)
        self._tick()

    def publish(self, message: Message) -> tuple[int, int]:
        """paho's result and the packet's id. Raises ValueError for what MQTT has no room for."""
        properties = _publish_properties(message) if self._is_newer else None
        sent = self.paho.publish(
            message.topic, message.payload, message.qos, message.is_retained, properties
        )
        return sent.rc, sent.mid

    def disconnect(self) -> None:
        """Take leave for good: the broker keeps nothing for us (MQTT 5), nor publishes the will."""
        properties = None
        if self._is_newer and self._identity is not None:
            properties = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call] # paho's
            properties.SessionExpiryInterval = 0
        self.paho.disconnect(properties=properties)

    @property
    def _is_newer(self) -> bool:
        return bool(self.paho.protocol == MQTTProtocolVersion.MQTTv5)

    def end(self, reason: str) -> None:
        """Close the socket, without a word to the broker."""
        if self._on_end is None:
            return
        on_end, self._on_end = self._on_end, None
        if self._timer is not None:
            self._timer.cancel()
        self._forget_socket()
        self._socket.close()
        on_end(reason)

    def _forget_socket(self) -> None:
        """While it is still open: its number may belong to another one afterwards."""
        if self._socket.fileno() >= 0:
            self._loop.remove_writer(self._socket)
            self._loop.remove_reader(self._socket)

    def _has_something(self, *_: object) -> None:
        self._loop.call_soon(self._write)

    def _read(self) -> None:
        try:
            self.paho.read_packets()
        except Exception as error:  # paho raises anything for a malformed packet
            logger.debug("a packet could not be read", exc_info=True)
            self.end(f"the broker sent something malformed: {error!r}")

    def _write(self) -> None:
        """All that was queued in this turn of the loop; the rest when the socket takes more."""
        if self._on_end is None:
            return
        self.paho.loop_write()
        if self._on_end is not None and self.paho.want_write() != self._is_writer_waiting:
            self._is_writer_waiting = not self._is_writer_waiting
            if self._is_writer_waiting:
                self._loop.add_writer(self._socket, self._write)
            else:
                self._loop.remove_writer(self._socket)

    def _tick(self) -> None:
        """paho sends its pings, and notices that the broker is gone, only when it is asked to."""
        self._timer = self._loop.call_later(TICK_SECONDS, self._tick)
        self.paho.loop_misc()


class _OnSocket(mqtt.Client):
    """paho's client, given its socket: it would connect one in a way that blocks."""

    def __init__(
        self, connected: socket.socket, client_id: str, version: int, *, is_kept: bool
    ) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id,
            protocol=MQTTProtocolVersion(version),
            clean_session=not is_kept if version < 5 else None,
            reconnect_on_failure=False,
            manual_ack=is_kept,
        )
        self.max_inflight_messages_set(0)  # the connection keeps the broker's limit, not paho
        self._given_socket = connected
        self._received = memoryview(b"")
        self._may_read = False
        success, alone = (ReasonCode(PacketTypes.PUBACK, identifier=each) for each in _SUCCESSES)
        # By what follows the packet's number; lengths of properties are 0 (MQTT 5 section 3.4.2).
        self._successes = {b"": success, b"\0": success, b"\0\0": success}
        self._successes |= {b"\x10": alone, b"\x10\0": alone}
        self._no_properties = Properties(PacketTypes.PUBACK)  # type: ignore[no-untyped-call] # paho's

    def _create_socket(self) -> socket.socket:
        return self._given_socket

    def read_packets(self) -> None:
        """All packets that came together, with one look at the socket; for others there is time later."""
        self._may_read = True
        self.loop_read()
        while self._received and self._sock is not None:
            self.loop_read()

    def _sock_recv(self, bufsize: int) -> bytes:
        """paho reads packets in three pieces; each of them would be a call of the system."""
        if not self._received:
            if not self._may_read:
                raise BlockingIOError
            self._may_read = False
            received = super()._sock_recv(max(bufsize, READ_BYTES))
            if len(received) <= bufsize:
                return received
            self._received = memoryview(received)
        piece, self._received = self._received[:bufsize], self._received[bufsize:]
        return bytes(piece)

    def _handle_pubackcomp(self, cmd: Literal["PUBACK", "PUBCOMP"]) -> MQTTErrorCode:
        """A success that says nothing more, as nearly all do, without what paho decodes it into."""
        packet = self._in_packet["packet"]
        reason = self._successes.get(bytes(packet[2:]))
        number = int.from_bytes(packet[:2], "big")
        if cmd != "PUBACK" or reason is None or number not in self._out_messages:
            return super()._handle_pubackcomp(cmd)
        return self._do_on_publish(number, reason, self._no_properties)


class _Packed(Properties):
    """Properties of a message going out, packed once: paho's own take longer than all the rest."""

    def __init__(self, packed: bytes) -> None:
        object.__setattr__(self, "pack", lambda: packed)


def _publish_properties(message: Message) -> Properties | None:
    """MQTT 5 section 3.3.2.3."""
    packed = b""
    if message.content_type is not None:
        packed += _CONTENT_TYPE + _string(message.content_type.encode())
    if message.response_topic is not None:
        packed += _RESPONSE_TOPIC + _string(message.response_topic.encode())
    if message.correlation is not None:
        packed += _CORRELATION + _string(message.correlation)
    if message.traceparent:
        pair = _string(_TRACEPARENT.encode()) + _string(message.traceparent.encode())
        packed += _USER_PROPERTY + pair
    return _Packed(_variable_integer(len(packed)) + packed) if packed else None


def subscription(
    topic_filter: str, version: int, *, is_own_heard: bool
) -> tuple[str, int] | tuple[str, SubscribeOptions]:
    """One entry for paho's `subscribe`; only MQTT 5 can leave out what we publish ourselves."""
    if version < 5:
        return topic_filter, 1
    return topic_filter, SubscribeOptions(qos=1, noLocal=not is_own_heard)


def to_message(received: mqtt.MQTTMessage, acknowledge: Callable[[], None]) -> Message:
    """Raises UnicodeDecodeError for a topic that is not UTF-8."""
    properties = received.properties
    return Message(
        received.topic,
        bytes(received.payload),
        received.qos,
        received.retain,
        getattr(properties, "ContentType", None),
        getattr(properties, "ResponseTopic", None),
        getattr(properties, "CorrelationData", None),
        received.mid,
        received.dup,
        acknowledge,
        traceparent=dict(getattr(properties, "UserProperty", ())).get(_TRACEPARENT, ""),
    )


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def _variable_integer(number: int) -> bytes:
    """MQTT 5 section 1.5.5."""
    encoded = bytearray()
    while True:
        number, low = divmod(number, 128)
        encoded.append(low | (128 if number else 0))
        if not number:
            return bytes(encoded)

"""The only file that knows paho-mqtt: its client, for all packets but PUBLISH and PUBACK."""

import asyncio
from typing import Any

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from servient.mqtt.message import Broker, Identity, Message
from servient.mqtt.wire import Wire

__all__ = ["Client", "ReasonCode", "refusal", "subscription"]

SUCCESS = MQTTErrorCode.MQTT_ERR_SUCCESS
KEEPALIVE_SECONDS = 30
TICK_SECONDS = 1.0


class Client:
    """paho's client without its threads, above a wire that others send and hear on, too.

    `end` is to be called when the wire is over. The callbacks are paho's and set on `paho`.
    """

    def __init__(
        self, wire: Wire, client_id: str, version: int, identity: Identity | None = None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._wire = wire
        self._identity = identity
        self._stand_in = _StandIn(wire)
        self.paho = _OnWire(self._stand_in, client_id, version, is_kept=identity is not None)
        self.paho.on_socket_register_write = self._has_something
        self.paho.on_disconnect = lambda _c, _d, _f, reason, _p: self._disconnected(str(reason))
        self._timer: asyncio.TimerHandle | None = None

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

    def take(self, first: int, body: bytes) -> None:
        """A packet that came. paho raises anything for one that is malformed."""
        self._stand_in.put(first, body)
        self.paho.loop_read()

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

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _disconnected(self, reason: str) -> None:
        self._wire.flush()  # DISCONNECT, when it is we who disconnect
        self._wire.end(reason)

    def _has_something(self, *_: object) -> None:
        self._loop.call_soon(self._write)

    def _write(self) -> None:
        if not self._wire.is_over:
            self.paho.loop_write()

    def _tick(self) -> None:
        """paho sends its pings, and notices that the broker is gone, only when it is asked to."""
        self._timer = self._loop.call_later(TICK_SECONDS, self._tick)
        self.paho.loop_misc()


class _StandIn:
    """What paho takes for its socket: it reads one packet after the other, in small pieces."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._received = memoryview(b"")

    def put(self, first: int, body: bytes) -> None:
        length, digits = len(body), bytearray((first,))
        while length >= 0x80:
            digits.append(length & 0x7F | 0x80)
            length >>= 7
        digits.append(length)
        self._received = memoryview(bytes(digits) + body)

    def recv(self, size: int) -> bytes:
        if not self._received:
            raise BlockingIOError
        piece, self._received = self._received[:size], self._received[size:]
        return bytes(piece)

    def send(self, data: bytes) -> int:
        self._wire.write(bytes(data))
        return len(data)

    def setblocking(self, _: bool) -> None:
        """It never blocks."""

    def close(self) -> None:
        """The wire is closed by who has opened it."""


class _OnWire(mqtt.Client):
    """paho's client, given its socket: it would connect one in a way that blocks."""

    def __init__(self, stand_in: _StandIn, client_id: str, version: int, *, is_kept: bool) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id,
            protocol=MQTTProtocolVersion(version),
            clean_session=not is_kept if version < 5 else None,
            reconnect_on_failure=False,
        )
        self._stand_in: Any = stand_in

    def _create_socket(self) -> Any:
        return self._stand_in


def refusal(code: int) -> str:
    """What a code of PUBACK says."""
    try:
        return str(ReasonCode(PacketTypes.PUBACK, identifier=code))
    except KeyError:
        return f"reason code {code}"


def subscription(
    topic_filter: str, version: int, *, is_own_heard: bool
) -> tuple[str, int] | tuple[str, SubscribeOptions]:
    """One entry for paho's `subscribe`; only MQTT 5 can leave out what we publish ourselves."""
    if version < 5:
        return topic_filter, 1
    return topic_filter, SubscribeOptions(qos=1, noLocal=not is_own_heard)

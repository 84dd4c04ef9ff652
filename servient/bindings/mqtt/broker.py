"""The private broker of a servient that was given none."""

import logging
import socket
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from servient.bindings.mqtt.doorkeeper import Doorkeeper
from servient.bindings.mqtt.mosquitto import Mosquitto, find_mosquitto
from servient.mqtt.errors import BrokerUnreachable
from servient.wot.description import Description

if TYPE_CHECKING:
    from servient.bindings.mqtt.amqtt_broker import AmqttBroker

logger = logging.getLogger(__name__)

Kind = Literal["mosquitto", "amqtt"]

ATTEMPTS = 3
MESSAGE_LIMIT_BYTES = 64 * 1024 * 1024
AMQTT_VERSION = 4


class EmbeddedBroker:
    """An asynchronous context manager: mosquitto where it is installed, else amqtt in this process.

    With port 0, or one that is taken, a free one is found; `port` is the real one once it runs.
    `version` is that of MQTT: 5, or 4 for 3.1.1. Without a `doorkeeper` it asks for no credentials:
    let it listen on loopback. With one, it has to be mosquitto.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        prefer: Kind | None = None,
        message_limit_bytes: int = MESSAGE_LIMIT_BYTES,
        doorkeeper: Doorkeeper | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self._message_limit_bytes = message_limit_bytes
        self._doorkeeper = doorkeeper
        self._program = None if prefer == "amqtt" else find_mosquitto()
        if prefer == "mosquitto" and self._program is None:
            raise BrokerUnreachable("mosquitto is not installed")
        if doorkeeper is not None and self._program is None:
            raise BrokerUnreachable("amqtt cannot check who may do what: install mosquitto")
        self.kind: Kind = "mosquitto" if self._program else "amqtt"
        self._running: Mosquitto | AmqttBroker | None = None

    @property
    def version(self) -> int:
        return Mosquitto.version if self.kind == "mosquitto" else AMQTT_VERSION

    @property
    def process_id(self) -> int | None:
        """Of mosquitto's process; None for amqtt."""
        return self._running.process_id if isinstance(self._running, Mosquitto) else None

    async def __aenter__(self) -> Self:
        """Raises BrokerUnreachable."""
        wanted = self.port
        for attempt in range(1, ATTEMPTS + 1):
            self.port = _free_port(self.host, wanted)
            running = self._build()
            try:
                await running.start()
            except BrokerUnreachable:
                if attempt == ATTEMPTS:
                    raise
                continue  # somebody else took the port in between
            self._running = running
            break
        if wanted not in (0, self.port):
            logger.info("port %d is taken; the MQTT broker listens on %d", wanted, self.port)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._running is not None:
            running, self._running = self._running, None
            await running.stop()

    def _build(self) -> "Mosquitto | AmqttBroker":
        if self._program is None:
            # Here, since a servient that has mosquitto starts sooner without the other broker.
            from servient.bindings.mqtt.amqtt_broker import AmqttBroker  # noqa: PLC0415

            return AmqttBroker(self.host, self.port)
        return Mosquitto(
            self._program, self.host, self.port, self._message_limit_bytes, self._doorkeeper
        )

    def admit(self, things: Iterable[Description]) -> str:
        """Let members have to do with these Things alone; returns the topic that says that it is so.

        Raises BrokerUnreachable without a doorkeeper, and when it does not run.
        """
        if not isinstance(self._running, Mosquitto):
            raise BrokerUnreachable("mosquitto does not run")
        return self._running.admit(things)


def _free_port(host: str, wanted: int) -> int:
    """The wanted port if nobody listens there, else any. Raises BrokerUnreachable."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in dict.fromkeys((wanted, 0)):
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                failure = error
                continue
            return int(probe.getsockname()[1])
    raise BrokerUnreachable(f"the MQTT broker cannot listen on {host}: {failure}")

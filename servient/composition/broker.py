"""The MQTT broker in use, and how it came to be."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from servient.bindings.mqtt.broker import EmbeddedBroker
from servient.bindings.mqtt.doorkeeper import Doorkeeper
from servient.config.broker import BrokerSettings

PORT = 1883


@dataclass(frozen=True, slots=True)
class Broker:
    """Where it is, by whose name the servient comes in; `embedded` is that of our own."""

    host: str
    port: int
    kind: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    embedded: EmbeddedBroker | None = None


async def find_broker(
    settings: BrokerSettings, doorkeeper: Doorkeeper | None, stack: AsyncExitStack
) -> Broker:
    """The configured broker, else a private one on a port of its own."""
    if settings.mqtt_broker:
        url = urlsplit(settings.mqtt_broker)
        host = url.hostname or "127.0.0.1"
        return Broker(host, url.port or PORT, "configured", url.username, url.password)
    broker = await stack.enter_async_context(
        EmbeddedBroker(
            "127.0.0.1", settings.mqtt_port, prefer=settings.embedded_broker, doorkeeper=doorkeeper
        )
    )
    name, password = (doorkeeper.name, doorkeeper.password) if doorkeeper else (None, None)
    return Broker(broker.host, broker.port, broker.kind, name, password, broker)

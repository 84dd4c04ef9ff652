"""amqtt as a broker in this process, where no other can be had. It speaks MQTT 3.1.1 only."""

import asyncio
import contextlib

from amqtt.broker import Broker
from amqtt.errors import BrokerError

from servient.mqtt.errors import BrokerUnreachable

STOP_SECONDS = 5.0
_ANONYMOUS = "amqtt.plugins.authentication.AnonymousAuthPlugin"


class AmqttBroker:
    version = 4

    def __init__(self, host: str, port: int) -> None:
        address = f"[{host}]" if ":" in host else host
        self._config = {
            "listeners": {"default": {"type": "tcp", "bind": f"{address}:{port}"}},
            "plugins": {_ANONYMOUS: {"allow_anonymous": True}},
        }
        self._broker: Broker | None = None

    async def start(self) -> None:
        """Raises BrokerUnreachable."""
        broker = Broker(self._config)
        try:
            await broker.start()
        except BrokerError as error:
            raise BrokerUnreachable(f"amqtt did not start: {error}") from error
        self._broker = broker

    async def stop(self) -> None:
        if self._broker is not None:
            broker, self._broker = self._broker, None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(broker.shutdown(), STOP_SECONDS)

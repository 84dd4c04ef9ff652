"""amqtt as a broker in this process, where no other can be had. It speaks MQTT 3.1.1 only."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

from amqtt.broker import Broker
from amqtt.errors import BrokerError

from servient.mqtt.errors import BrokerUnreachable

STOP_SECONDS = 5.0
_ANONYMOUS = "amqtt.plugins.authentication.AnonymousAuthPlugin"


class _Subscriptions(dict[str, Any]):
    """amqtt walks through its subscriptions while it waits, and clients subscribe meanwhile.

    A plain dict ends such a walk with an error, and the connection of whoever it was for.
    """

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self.keys()))

    def items(self) -> Any:
        return tuple(super().items())


class SteadyBroker(Broker):
    """amqtt's broker, which no longer loses a client that connects while another one subscribes."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._subscriptions: dict[str, Any] = _Subscriptions()


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
        broker = SteadyBroker(self._config)
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

"""A servient with nothing but the MQTT binding, and its broker."""

import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from servient.bindings.mqtt.binding import MqttBinding
from servient.bindings.mqtt.broker import EmbeddedBroker
from servient.wot.entry import WoT
from servient.wot.servient import Servient
from tests.consumers.paho import PahoClient

PREFIX = "wasm-servient/test"
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Serving:
    broker: EmbeddedBroker
    servient: Servient
    binding: MqttBinding
    wot: WoT

    def client(self, version: int = 5) -> PahoClient:
        return PahoClient(self.broker.host, self.broker.port, version)


@contextlib.asynccontextmanager
async def serve(broker: EmbeddedBroker, **options: Any) -> AsyncIterator[Serving]:
    binding = MqttBinding(broker.host, broker.port, **{"prefix": PREFIX, **options})
    servient = Servient()
    servient.add_server(binding)
    wot = await servient.start()
    try:
        yield Serving(broker, servient, binding, wot)
    finally:
        await servient.shutdown()


def topic(rest: str, thing: str = "lamp:1") -> str:
    return f"{PREFIX}/things/{thing}/{rest}"


def answer_topic() -> str:
    return f"answers/{next(_numbers)}"

"""Both brokers, and a servient on one that speaks MQTT 5."""

from collections.abc import AsyncIterator

import pytest

from servient.bindings.mqtt.broker import EmbeddedBroker, Kind
from servient.wot.thing import ExposedThing
from tests.bindings.mqtt.serving import Serving, serve
from tests.consumers.paho import PahoClient
from tests.things import expose_lamp
from tests.tools import needs


@pytest.fixture
async def mosquitto() -> AsyncIterator[EmbeddedBroker]:
    needs("mosquitto")
    async with EmbeddedBroker(prefer="mosquitto") as broker:
        yield broker


@pytest.fixture(params=["mosquitto", "amqtt"])
async def kind(request: pytest.FixtureRequest) -> Kind:
    if request.param == "mosquitto":
        needs("mosquitto")
    return request.param  # type: ignore[no-any-return] # one of the two above


@pytest.fixture
async def broker(kind: Kind) -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker(prefer=kind) as broker:
        yield broker


@pytest.fixture
async def serving(mosquitto: EmbeddedBroker) -> AsyncIterator[Serving]:
    async with serve(mosquitto) as serving:
        yield serving


@pytest.fixture
def lamp(serving: Serving) -> ExposedThing:
    return expose_lamp(serving.wot)


@pytest.fixture
async def client(serving: Serving, lamp: ExposedThing) -> AsyncIterator[PahoClient]:
    """Of MQTT 5, with the lamp exposed."""
    async with serving.client() as client:
        yield client

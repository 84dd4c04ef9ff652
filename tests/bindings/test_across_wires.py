"""What one consumer does over one wire, the consumers on the others see."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from servient.app import App
from servient.config import Config
from tests.bindings.test_contract import CONSUMERS, consuming, until
from tests.files import FileServer
from tests.tools import needs

WIRES = ["http-sse", "coap", "websocket-webthing", "mqtt5-mosquitto"]


@pytest.mark.parametrize("invoking", WIRES)
async def test_an_invocation_over_one_wire_is_a_change_on_all(
    invoking: str, settings: Callable[..., Config], files: FileServer
) -> None:
    needs("mosquitto")
    async with App(settings(embedded_broker="mosquitto")) as app:
        deployed = await app.deployer.deploy(files.manifest("fibonacci/manifest.json"))
        thing = app.servient.exposed(deployed.names()[0])
        async with contextlib.AsyncExitStack() as stack:
            consumers = {
                wire: await stack.enter_async_context(consuming(app, wire, thing))
                for wire in CONSUMERS
                if wire != "mqtt3-amqtt"
            }
            observed: dict[str, Any] = {
                wire: await stack.enter_async_context(consumer.observe("fibo_result"))
                for wire, consumer in consumers.items()
            }
            assert await consumers[invoking].invoke("fibo", {"iterations": 12}) == 233
            await asyncio.gather(*(until(values, 233) for values in observed.values()))

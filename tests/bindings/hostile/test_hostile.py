"""Random JSON, CBOR and bytes at every operation of every wire: refused, answered, never a failure.

`HOSTILE_EXAMPLES` says how many are sent over each wire; more than usual are others each time, and want
`--timeout 0`.
"""

import asyncio
import gc
import logging
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, given, settings

from servient.app import App
from servient.bindings.coap.binding import CoapBinding
from servient.bindings.websocket.binding import WebSocketBinding
from servient.config import Config
from tests.bindings.hostile.coap import CoapDriver
from tests.bindings.hostile.driver import Driver, is_failure
from tests.bindings.hostile.http import HttpDriver
from tests.bindings.hostile.mqtt import MqttDriver
from tests.bindings.hostile.orchestrator import DEPLOYED, OrchestratorDriver
from tests.bindings.hostile.sponge import SCHEMAS, expose_sponge
from tests.bindings.hostile.websocket import JsonRpcDriver, WebThingDriver
from tests.files import FileServer
from tests.tools import needs

logger = logging.getLogger(__name__)

FEW = 80
EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", FEW))
PATIENCE_SECONDS = 30.0
REPEATED = 1000
# What Python, caches and histories may take when the same is sent once more.
GROWTH_LIMIT_BYTES = 8 * 2**20

DRIVERS: dict[str, type[Driver]] = {
    "http": HttpDriver,
    "orchestrator": OrchestratorDriver,
    "coap": CoapDriver,
    "websocket-webthing": WebThingDriver,
    "websocket-jsonrpc": JsonRpcDriver,
    "mqtt": MqttDriver,
}


@dataclass(slots=True)
class Sent:
    """Some of the cases, and how often each status came."""

    cases: list[Any] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)


async def drive(driver: Driver, count: int) -> Sent:
    """Send new cases.

    Hypothesis runs no coroutines: it runs in a thread, and what it makes is sent from the loop.
    """
    loop = asyncio.get_running_loop()
    sent = Sent()

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=count <= FEW,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=type(driver).cases)
    def run(case: Any) -> None:
        answers = asyncio.run_coroutine_threadsafe(driver.send(case), loop).result()
        failures = [answer for answer in answers if is_failure(answer, driver.allowed)]
        assert not failures
        sent.statuses.update(answer.status for answer in answers)
        if len(sent.cases) < REPEATED:
            sent.cases.append(case)

    await asyncio.to_thread(run)
    return sent


async def memory_after(driver: Driver, cases: list[Any]) -> int:
    """Of the process, in bytes, when the same cases were sent again."""
    for case in cases:
        await driver.send(case)
    gc.collect()
    return int(psutil.Process().memory_info().rss)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            gc.collect()
            await asyncio.sleep(0.05)


def tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks() if not task.done()}


# What is served in one thread may use `random` while hypothesis makes a case in another, which takes it
# for the maker's fault, and describes that at length.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.parametrize("wire", DRIVERS)
async def test_whatever_comes_nothing_fails_hangs_or_leaks(
    wire: str, settings: Callable[..., Config], files: FileServer, caplog: pytest.LogCaptureFixture
) -> None:
    needs("mosquitto")
    process = psutil.Process()
    async with App(settings(embedded_broker="mosquitto")) as app:
        sponge = expose_sponge(app.wot)
        await app.deployer.deploy(files.manifest("fibonacci/manifest.json", deploymentId=DEPLOYED))
        async with DRIVERS[wire](app) as driver:
            await drive(driver, 5)
        before, descriptors = tasks(), process.num_fds()
        async with DRIVERS[wire](app) as driver:
            sent = await drive(driver, EXAMPLES)
            # Hypothesis itself remembers all that it made: memory is looked at when it is done.
            memory = await memory_after(driver, sent.cases)
            growth = await memory_after(driver, sent.cases) - memory
        logger.info("%s: %s, %d bytes", wire, sorted(sent.statuses.items()), growth)
        assert growth < GROWTH_LIMIT_BYTES
        if EXAMPLES >= FEW:  # some got through, some did not
            assert min(sent.statuses) < 300 <= 400 <= max(sent.statuses)
        await until(lambda: len(tasks() - before) <= 2)
        await until(lambda: process.num_fds() <= descriptors + 2)
        # Whoever observes over CoAP and has gone is noticed when there is something to tell.
        for name in SCHEMAS:
            sponge.set_property(name, 1)
            sponge.emit_event(name, 1)
        coap, websocket = app.bindings["coap"], app.bindings["websocket"]
        assert isinstance(coap, CoapBinding)
        assert isinstance(websocket, WebSocketBinding)
        await until(lambda: coap.observers == 0 and websocket.connection_count == 0)
        # Streams that come back are told what they missed: one record for each that there was.
        assert len(sponge.publisher._subscriptions) <= 4 * len(SCHEMAS)
        assert (await sponge.read_property("number")) is not None
    assert [r.getMessage() for r in caplog.records if r.exc_info and r.levelname == "ERROR"] == []

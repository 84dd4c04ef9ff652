"""What is done to a servient at once, and what has to be true when it is over.

It gets deployments and undeployments, invocations over four wires, subscribers that come and go, traps,
connections that say nothing, and a broker that is killed.
"""

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from tests.consumers.coap import CoapConsumer
from tests.consumers.consumer import Consumer, Refused
from tests.consumers.http import HttpConsumer
from tests.consumers.mqtt import MqttConsumer
from tests.consumers.websocket import WebSocketConsumer
from tests.files import FileServer, serve_files
from tests.soak.report import Ledger, Report, Sample
from tests.soak.servient import ServientProcess

CONSUMERS: dict[str, Callable[[dict[str, Any]], Consumer]] = {
    "http": HttpConsumer,
    "coap": CoapConsumer,
    "websocket": WebSocketConsumer,
    "mqtt": MqttConsumer,
}
COUNTER = "/things/stay:counter"
# After a long life, a broker is started again at once; after many short ones, half a minute later.
BROKER_LIVES_SECONDS = (10.0, 10.0, 10.0, 70.0)
POLL_SECONDS = 0.1
SAMPLE_SECONDS = 2.0
SETTLE_SECONDS = 4.0
# A broker that was killed often is started again after half a minute.
WIRE_SECONDS = 60.0


class Soak:
    """One servient under everything, until the time is over."""

    def __init__(self, folder: Path, seconds: float, files: FileServer, seed: int) -> None:
        self._servient = ServientProcess(folder)
        self._seconds, self._files = seconds, files
        self._chance = random.Random(seed)
        self._ledger = Ledger()
        self._numbers = itertools.count()
        self._over = asyncio.Event()

    async def run(self) -> Report:
        async with self._servient.running():
            await self._deploy("stay", "counter")
            await self._deploy("trap", "endless")
            samples = await self._everything()
            await asyncio.sleep(SETTLE_SECONDS)
            last = self._servient.sample(self._seconds + SETTLE_SECONDS)
            await self._check_wires()
            count = await self._count()
            await self._check_deployments()
        async with self._servient.running():  # what was acknowledged is on disk
            await self._check_deployments()
            if (kept := await self._count()) != count:
                fault = f"the last result was {count}, and is {kept} after a restart"
                self._ledger.faults.append(fault)
        lines = self._servient.unexpected_lines()
        return Report(self._ledger, samples, last, count, lines, tuple(CONSUMERS))

    async def _count(self) -> int:
        answer = await self._servient.http.get(f"{COUNTER}/properties/increment_result")
        return int(answer.json())

    async def _everything(self) -> list[Sample]:
        td = (await self._servient.http.get(COUNTER)).json()
        works: list[Coroutine[Any, Any, None]] = [
            *(self._again(name, partial(self._invoke, name, td)) for name in CONSUMERS),
            *(self._again("subscriber", lambda: self._listen(td)) for _ in range(3)),
            *(self._again("deploying", self._come_and_go) for _ in range(2)),
            self._again("trap", self._trap),
            self._again("silence", self._say_nothing),
            self._again("broker", self._end_broker),
        ]
        samples: list[Sample] = []
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
            began = time.monotonic()
            while (seconds := time.monotonic() - began) < self._seconds:
                samples.append(self._servient.sample(seconds))
                await asyncio.sleep(SAMPLE_SECONDS)
            self._over.set()
        return samples

    async def _again(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        while not self._over.is_set():
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - whatever it is, the servient has to answer for it
                self._ledger.faults.append(f"{name}: {type(error).__name__}: {error}"[:500])
                await asyncio.sleep(0.5)

    # What is done

    async def _invoke(self, wire: str, td: dict[str, Any]) -> None:
        """A hundred calls by one consumer. Over MQTT, some have no answer when the broker is killed."""
        consumer = CONSUMERS[wire](td)
        try:
            for _ in range(100):
                if self._over.is_set():
                    return
                self._ledger.lost_increments += 1
                await consumer.invoke("increment")
                self._ledger.lost_increments -= 1
                self._ledger.increments += 1
                self._ledger.counts[wire] += 1
                await asyncio.sleep(0.01)
        except (OSError, TimeoutError):
            if wire != "mqtt":
                raise
            self._ledger.counts["mqtt without an answer"] += 1
            await asyncio.sleep(0.2)
        finally:
            with contextlib.suppress(OSError, TimeoutError):
                await consumer.close()

    async def _listen(self, td: dict[str, Any]) -> None:
        wire = self._chance.choice(list(CONSUMERS))
        consumer = CONSUMERS[wire](td)
        try:
            async with asyncio.timeout(60), consumer.observe("increment_result") as values:
                wanted = self._chance.randint(1, 20)
                async for _ in values:
                    self._ledger.counts["notification"] += 1
                    wanted -= 1
                    if not wanted or self._over.is_set():
                        break
        except (OSError, TimeoutError):
            if wire != "mqtt" and not self._over.is_set():
                raise
        finally:
            with contextlib.suppress(OSError, TimeoutError):
                await consumer.close()

    async def _come_and_go(self) -> None:
        name = f"d{next(self._numbers)}"
        example, action, value = self._chance.choice(
            [("fibonacci", "fibo", {"iterations": 7}), ("counter", "increment", None)]
        )
        await self._deploy(name, example)
        answer = await self._servient.http.post(
            f"/things/{name}:{example}/actions/{action}", json=value
        )
        if answer.json() not in (21, 1):
            self._ledger.faults.append(f"{example} said {answer.text[:200]}")
        if self._chance.random() < 0.97 or len(self._ledger.deployed) > 8:
            await self._undeploy(name)

    async def _deploy(self, name: str, example: str) -> None:
        self._ledger.undecided.add(name)
        manifest = self._files.manifest(f"{example}/manifest.json", deploymentId=name)
        (await self._servient.http.post("/deploy", json=manifest)).raise_for_status()
        self._ledger.undecided.discard(name)
        self._ledger.deployed.add(name)
        self._ledger.counts["deploy"] += 1

    async def _undeploy(self, name: str) -> None:
        self._ledger.undecided.add(name)
        (await self._servient.http.delete(f"/deploy/{name}")).raise_for_status()
        self._ledger.undecided.discard(name)
        self._ledger.deployed.discard(name)
        self._ledger.counts["undeploy"] += 1

    async def _trap(self) -> None:
        answer = await self._servient.http.post("/things/trap:endless/actions/trap")
        if answer.status_code != 500 or answer.json()["title"] != "Module trapped":
            raise Refused(answer.json())
        self._ledger.counts["trap"] += 1
        await asyncio.sleep(0.05)

    async def _say_nothing(self) -> None:
        for wire in ("http", "websocket"):
            port = int(self._servient.addresses[wire].rpartition(":")[2])
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.sleep(0.2)
            writer.close()
        self._ledger.counts["silence"] += 1

    async def _end_broker(self) -> None:
        """A while after it is there: else it could be ended for good, in step with its returns."""
        while not self._servient.has_broker:
            if await self._is_over_after(POLL_SECONDS):
                return
        if await self._is_over_after(self._chance.choice(BROKER_LIVES_SECONDS)):
            return
        self._ledger.counts["broker killed"] += self._servient.kill_broker()

    async def _is_over_after(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)
        return self._over.is_set()

    async def _check_wires(self) -> None:
        """Each is there still, or again: what is only missing is not seen by who counts answers."""
        td = (await self._servient.http.get(COUNTER)).json()
        for wire, make in CONSUMERS.items():
            try:
                async with asyncio.timeout(WIRE_SECONDS):
                    while not await _answers(make(td)):
                        await asyncio.sleep(0.5)
            except TimeoutError:
                self._ledger.faults.append(f"nobody answers over {wire} in the end")

    async def _check_deployments(self) -> None:
        listed = (await self._servient.http.get("/deploy")).json()["deployments"]
        found = {each["deploymentId"] for each in listed}
        if missing := self._ledger.deployed - found - self._ledger.undecided:
            self._ledger.faults.append(f"acknowledged, and not there: {missing}")
        if left := found - self._ledger.deployed - self._ledger.undecided:
            self._ledger.faults.append(f"removed, and still there: {left}")


async def _answers(consumer: Consumer) -> bool:
    try:
        await consumer.read("increment_result")
    except (OSError, TimeoutError):
        return False
    finally:
        with contextlib.suppress(OSError, TimeoutError):
            await consumer.close()
    return True


async def soak(folder: Path, seconds: float, seed: int) -> Report:
    async with serve_files() as files:
        return await Soak(folder, seconds, files, seed).run()

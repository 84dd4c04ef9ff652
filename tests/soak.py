"""Everything at once for a while, and then nothing is lost and nothing is left: `python -m tests.soak`.

A servient in a process of its own gets deployments and undeployments, invocations over four wires,
subscribers that come and go, traps, connections that say nothing, and a broker that is killed.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.consumers.coap import CoapConsumer
from tests.consumers.consumer import Consumer, Refused
from tests.consumers.http import HttpConsumer
from tests.consumers.mqtt import MqttConsumer
from tests.consumers.websocket import WebSocketConsumer
from tests.files import FileServer, serve_files

CONSUMERS: dict[str, Callable[[dict[str, Any]], Consumer]] = {
    "http": HttpConsumer,
    "coap": CoapConsumer,
    "websocket": WebSocketConsumer,
    "mqtt": MqttConsumer,
}
COUNTER = "/things/stay:counter"
START_SECONDS = STOP_SECONDS = 60.0
BROKER_LIFE_SECONDS = 10.0
SAMPLE_SECONDS = 2.0
SETTLE_SECONDS = 4.0
# A broker that was killed often is started again after half a minute.
WIRE_SECONDS = 60.0
# From when everything has been done often enough for caches to be full.
WARM_SHARE = 0.4
GROWTH_LIMIT_BYTES = 24 * 2**20
SETTINGS = {"WASM_SERVIENT_HISTORY_LIMIT": "200", "WASM_SERVIENT_LOG_LEVEL": "warning"}
# What a killed broker has the servient say.
EXPECTED = re.compile(r"mosquitto|[Bb]roker|MQTT")


@dataclass(slots=True)
class Ledger:
    """What was asked, and what was acknowledged."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    deployed: set[str] = field(default_factory=set)
    undecided: set[str] = field(default_factory=set)
    increments: int = 0
    lost_increments: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    memory_bytes: int
    descriptors: int
    threads: int
    disk_bytes: int

    def __str__(self) -> str:
        memory, disk = self.memory_bytes / 2**20, self.disk_bytes / 2**20
        held = f"{self.descriptors} descriptors, {self.threads} threads"
        return f"{memory:.1f} MiB, {held}, {disk:.2f} MiB on disk"


@dataclass(slots=True)
class Report:
    ledger: Ledger
    warm: Sample
    last: Sample
    count: int
    lines: Sequence[str]
    seconds: float

    def faults(self) -> list[str]:
        """Everything that is not as it has to be."""
        ledger, warm, last = self.ledger, self.warm, self.last
        found = [*ledger.faults, *(f"in the log: {line}" for line in self.lines)]
        most = ledger.increments + ledger.lost_increments
        if not ledger.increments <= self.count <= most:
            found.append(
                f"{ledger.increments} to {most} increments, and the counter is {self.count}"
            )
        if last.memory_bytes - warm.memory_bytes > GROWTH_LIMIT_BYTES:
            found.append(f"memory grew from {warm} to {last}")
        if last.descriptors > warm.descriptors + 20 or last.threads > warm.threads + 8:
            found.append(f"descriptors or threads grew from {warm} to {last}")
        if last.disk_bytes > warm.disk_bytes + 2**23:
            found.append(f"the disk grew from {warm} to {last}")
        idle = [
            name for name in ("deploy", "undeploy", "trap", *CONSUMERS) if not ledger.counts[name]
        ]
        return found + [f"nothing was done: {name}" for name in idle]

    def __str__(self) -> str:
        done = ", ".join(f"{name} {count}" for name, count in sorted(self.ledger.counts.items()))
        acknowledged = (
            f"{self.ledger.increments} increments acknowledged, the counter is {self.count}"
        )
        return f"{self.seconds:.0f} s: {done}\n{acknowledged}\nwarm: {self.warm}\nlast: {self.last}"


class Soak:
    """One servient under everything, until the time is over."""

    def __init__(self, folder: Path, seconds: float, files: FileServer, seed: int) -> None:
        self._folder, self._seconds, self._files = folder, seconds, files
        self._chance = random.Random(seed)
        self._ledger = Ledger()
        self._numbers = itertools.count()
        self._http: httpx.AsyncClient
        self._addresses: dict[str, str]
        self._process: psutil.Process
        self._over = asyncio.Event()

    async def run(self) -> Report:
        began = time.monotonic()
        async with self._servient():
            await self._deploy("stay", "counter")
            await self._deploy("trap", "endless")
            samples = await self._everything()
            await asyncio.sleep(SETTLE_SECONDS)
            last = self._sample()
            await self._check_wires()
            count = int((await self._http.get(f"{COUNTER}/properties/increment_result")).json())
            await self._check_deployments()
        async with self._servient():  # what was acknowledged is on disk
            await self._check_deployments()
            kept = (await self._http.get(f"{COUNTER}/properties/increment_result")).json()
            if kept != count:
                self._ledger.faults.append(
                    f"the last result was {count}, and is {kept} after a restart"
                )
        warm = samples[int(len(samples) * WARM_SHARE)]
        lines = self._unexpected()
        return Report(self._ledger, warm, last, count, lines, time.monotonic() - began)

    async def _everything(self) -> list[Sample]:
        td = (await self._http.get(COUNTER)).json()
        works: list[Awaitable[None]] = [
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
                group.create_task(work)  # type: ignore[arg-type]  # they are coroutines
            until = time.monotonic() + self._seconds
            while time.monotonic() < until:
                await asyncio.sleep(SAMPLE_SECONDS)
                samples.append(self._sample())
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
        except (OSError, TimeoutError, AssertionError):
            # The consumer asserts that the broker takes what it publishes.
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
        answer = await self._http.post(f"/things/{name}:{example}/actions/{action}", json=value)
        if answer.json() not in (21, 1):
            self._ledger.faults.append(f"{example} said {answer.text[:200]}")
        if self._chance.random() < 0.97 or len(self._ledger.deployed) > 8:
            await self._undeploy(name)

    async def _deploy(self, name: str, example: str) -> None:
        self._ledger.undecided.add(name)
        manifest = self._files.manifest(f"{example}/manifest.json", deploymentId=name)
        (await self._http.post("/deploy", json=manifest)).raise_for_status()
        self._ledger.undecided.discard(name)
        self._ledger.deployed.add(name)
        self._ledger.counts["deploy"] += 1

    async def _undeploy(self, name: str) -> None:
        self._ledger.undecided.add(name)
        (await self._http.delete(f"/deploy/{name}")).raise_for_status()
        self._ledger.undecided.discard(name)
        self._ledger.deployed.discard(name)
        self._ledger.counts["undeploy"] += 1

    async def _trap(self) -> None:
        answer = await self._http.post("/things/trap:endless/actions/trap")
        if answer.status_code != 500 or answer.json()["title"] != "Module trapped":
            raise Refused(answer.json())
        self._ledger.counts["trap"] += 1
        await asyncio.sleep(0.05)

    async def _say_nothing(self) -> None:
        for wire in ("http", "websocket"):
            port = int(self._addresses[wire].rpartition(":")[2])
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.sleep(0.2)
            writer.close()
        self._ledger.counts["silence"] += 1

    async def _end_broker(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BROKER_LIFE_SECONDS):
                await self._over.wait()
            return
        for child in self._process.children():
            if child.name() == "mosquitto":
                child.kill()
                self._ledger.counts["broker killed"] += 1

    # The servient

    @contextlib.asynccontextmanager
    async def _servient(self) -> AsyncIterator[None]:
        free = [
            argument
            for name in ("", "websocket-", "coap-", "mqtt-")
            for argument in (f"--{name}port", "0")
        ]
        with (self._folder / "log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "servient", "run", "--json", *free),
                *("--instance-path", str(self._folder / "instance")),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, **SETTINGS, "PYTHONWARNINGS": "default"},
            )
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
            self._addresses = json.loads(line)
            self._process = psutil.Process(process.pid)
            async with httpx.AsyncClient(
                base_url=self._addresses["http"], timeout=30
            ) as self._http:
                yield
            process.send_signal(signal.SIGTERM)
            if code := await asyncio.wait_for(process.wait(), STOP_SECONDS):
                self._ledger.faults.append(f"it ended with {code}")
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    def _sample(self) -> Sample:
        return Sample(
            self._process.memory_info().rss,
            self._process.num_fds(),
            self._process.num_threads(),
            _size_of(self._folder / "instance"),
        )

    async def _check_wires(self) -> None:
        """Each is there still, or again: what is only missing is not seen by who counts answers."""
        td = (await self._http.get(COUNTER)).json()
        for wire, make in CONSUMERS.items():
            try:
                async with asyncio.timeout(WIRE_SECONDS):
                    while not await _answers(make(td)):
                        await asyncio.sleep(0.5)
            except TimeoutError:
                self._ledger.faults.append(f"nobody answers over {wire} in the end")

    async def _check_deployments(self) -> None:
        listed = (await self._http.get("/deploy")).json()["deployments"]
        found = {each["deploymentId"] for each in listed}
        if missing := self._ledger.deployed - found - self._ledger.undecided:
            self._ledger.faults.append(f"acknowledged, and not there: {missing}")
        if left := found - self._ledger.deployed - self._ledger.undecided:
            self._ledger.faults.append(f"removed, and still there: {left}")

    def _unexpected(self) -> list[str]:
        lines = (self._folder / "log").read_text(errors="replace").splitlines()
        return [line for line in lines if line.strip() and not EXPECTED.search(line)][:20]


async def _answers(consumer: Consumer) -> bool:
    try:
        await consumer.read("increment_result")
    except (OSError, TimeoutError):
        return False
    finally:
        with contextlib.suppress(OSError, TimeoutError):
            await consumer.close()
    return True


def _size_of(folder: Path) -> int:
    """Of a folder in which files come and go meanwhile."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += (Path(place) / name).stat().st_size
    return total


async def soak(folder: Path, seconds: float, seed: int) -> Report:
    async with serve_files() as files:
        return await Soak(folder, seconds, files, seed).run()


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    arguments.add_argument("--seconds", type=float, default=900)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = asyncio.run(soak(Path(folder), given.seconds, given.seed))
    faults = report.faults()
    print(report, *faults, "FAILED" if faults else "good", sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

"""The journal on its way to an orchestrator: in order, in time, and never in anybody's way."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from servient.journal import Journal
from servient.telemetry.shipper import LogShipper, Sender, ShippingLimits

DEADLINE_SECONDS = 20.0
SENDER = Sender("first", "127.0.0.1")
QUICK = ShippingLimits(interval_seconds=0.01)


@dataclass
class Collector:
    """An orchestrator's route for logs; `status` is what it answers."""

    url: str | None = None
    status: int = 201
    logs: list[dict[str, Any]] = field(default_factory=list)
    media_types: set[str] = field(default_factory=set)
    deliveries: list[bool] = field(default_factory=list)

    def delivered(self, is_taken: bool) -> None:
        self.deliveries.append(is_taken)

    async def handle(self, request: web.Request) -> web.Response:
        self.media_types.add(request.content_type)
        if self.status == 201:
            self.logs.append(json.loads(str((await request.post())["logData"])))
        return web.Response(status=self.status)

    async def wait_for(self, count: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while len(self.logs) < count:
                await asyncio.sleep(0.005)
        return self.logs


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    async with collecting() as running:
        yield running


@contextlib.asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    found = Collector()
    application = web.Application()
    application.router.add_post("/device/logs", found.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield found
    finally:
        await runner.cleanup()


async def test_an_entry_arrives_with_all_that_is_known(collector: Collector) -> None:
    async with LogShipper(collector, SENDER, QUICK) as shipper:
        before = datetime.now(UTC).replace(microsecond=0)
        Journal(shipper).completed("d:m", "d:m:f:0", "f", 21)
        first, second = await collector.wait_for(2)
    at = datetime.fromisoformat(first.pop("timestamp"))
    assert at.tzinfo is not None
    assert at >= before
    assert first == {
        "loglevel": "DEBUG",
        "message": "Execution result: 21",
        "funcName": "f",
        "deviceName": "first",
        "deviceIP": "127.0.0.1",
        "request_id": "d:m:f:0",
        "deployment_id": "d",
        "module_name": "m",
    }
    assert (second["message"], second["loglevel"]) == ("Module run", "INFO")
    assert collector.media_types == {"application/x-www-form-urlencoded"}


async def test_what_is_not_known_is_left_out(collector: Collector) -> None:
    async with LogShipper(collector, SENDER, QUICK) as shipper:
        Journal(shipper).health_checked()
        (log,) = await collector.wait_for(1)
    assert {"request_id", "deployment_id", "module_name"}.isdisjoint(log)


async def test_the_words_that_pages_look_for(collector: Collector) -> None:
    async with LogShipper(collector, SENDER, QUICK) as shipper:
        journal = Journal(shipper)
        journal.health_checked()
        journal.deploying_module("d:m")
        journal.deployment_created("d")
        journal.running("d:m", "1", "f")
        journal.completed("d:m", "1", "f", 3)
        journal.result_url("d:m", "1", "f", "http://a/b.jpeg")
        journal.sub_call("d:m", "1", "f", "http://b/c")
        journal.failed("d:m", "1", "f")
        logs = await collector.wait_for(10)
    assert [(log["loglevel"], log["message"]) for log in logs] == [
        ("INFO", "Health check done"),
        ("INFO", "Deploying module 'm'"),
        ("INFO", "Deployment created"),
        ("DEBUG", "Preparing Wasm module 'm'"),
        ("DEBUG", "Running Wasm function 'f'"),
        ("DEBUG", "Execution result: 3"),
        ("INFO", "Module run"),
        ("DEBUG", "Result url: http://a/b.jpeg"),
        ("DEBUG", "Making sub-call from 'm' to 'http://b/c'"),
        ("ERROR", "Error running WebAssembly function 'f'"),
    ]


async def test_order_is_kept_over_batches(collector: Collector) -> None:
    limits = ShippingLimits(interval_seconds=0.001, batch=7)
    async with LogShipper(collector, SENDER, limits) as shipper:
        journal = Journal(shipper)
        for number in range(100):
            journal.completed("d:m", str(number), "f")
        logs = await collector.wait_for(100)
        assert [log["request_id"] for log in logs] == [str(n) for n in range(100)]
        assert shipper.counts() == {"sent": 100, "dropped": 0, "waiting": 0}


async def test_nobody_waits_for_an_orchestrator_that_is_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with collecting() as collector:
        pass
    limits = ShippingLimits(queue=10, interval_seconds=0.001)
    async with LogShipper(collector, SENDER, limits) as shipper:
        journal = Journal(shipper)
        for _ in range(100):
            journal.health_checked()
        counts = shipper.counts()
        assert (counts["dropped"], counts["waiting"]) == (90, 10)
        async with asyncio.timeout(DEADLINE_SECONDS):
            while len(collector.deliveries) < 3:
                await asyncio.sleep(0.005)
        assert not any(collector.deliveries)
        assert shipper.counts()["dropped"] >= 93
    assert caplog.text.count("the orchestrator takes no logs") == 1


async def test_one_that_comes_back_gets_what_waited(
    collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "servient")
    collector.status = 503
    async with LogShipper(collector, SENDER, QUICK) as shipper:
        journal = Journal(shipper)
        for number in range(10):
            journal.completed("d:m", str(number), "f")
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not collector.deliveries:
                await asyncio.sleep(0.005)
        collector.status = 201
        logs = await collector.wait_for(1)
        async with asyncio.timeout(DEADLINE_SECONDS):
            while shipper.counts()["waiting"] or len(logs) + shipper.counts()["dropped"] < 10:
                await asyncio.sleep(0.005)
        assert logs[-1]["request_id"] == "9"
    assert "the orchestrator takes logs again" in caplog.text


async def test_without_an_orchestrator_nothing_is_kept() -> None:
    collector = Collector()
    async with LogShipper(collector, SENDER, QUICK) as shipper:
        journal = Journal(shipper)
        journal.running("d:m", "1", "f")
        assert not journal.is_read
        assert shipper.counts() == {"sent": 0, "dropped": 0, "waiting": 0}


async def test_stopping_does_not_wait_for_an_orchestrator_that_hangs() -> None:
    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    try:
        collector = Collector(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        async with asyncio.timeout(3), LogShipper(collector, SENDER, QUICK) as shipper:
            Journal(shipper).health_checked()
            await asyncio.sleep(0.1)
    finally:
        server.close()

"""Registering with an orchestrator over HTTP: once, until it is done, and again when it has lost us."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from servient.discovery.orchestrator import Orchestrator
from servient.discovery.registration import Pace, Registration
from servient.discovery.service import Service

DEADLINE_SECONDS = 20.0
SERVICE = Service("first", "127.0.0.1", 5000, "0c9d")
QUICK = Pace(renewal_seconds=60.0, known_seconds=60.0, first_retry_seconds=0.01)


class Registry:
    """Takes registrations; `answers` are the status codes of the first ones."""

    def __init__(self, *answers: int) -> None:
        self.origin = ""
        self.bodies: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.headers: list[dict[str, str]] = []
        self._answers = list(answers)

    async def handle(self, request: web.Request) -> web.Response:
        self.bodies.put_nowait(json.loads(await request.read()))
        self.headers.append(dict(request.headers))
        return web.Response(status=self._answers.pop(0) if self._answers else 204)

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await self.bodies.get()

    @contextlib.asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator["Registry"]:
        application = web.Application()
        application.router.add_post("/file/device/discovery/register", self.handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            self.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self
        finally:
            await runner.cleanup()


async def until_registered(orchestrator: Orchestrator) -> None:
    told = json.dumps(SERVICE.registration(), sort_keys=True)
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not orchestrator.is_registered(told):
            await asyncio.sleep(0.01)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "orchestrator.json"


async def test_an_orchestrator_is_told_what_it_would_have_discovered(file: Path) -> None:
    async with Registry().running() as registry:
        orchestrator = Orchestrator(file, registry.origin)
        async with Registration(orchestrator, SERVICE, QUICK):
            assert await registry.next() == {
                "name": "first",
                "type": "_webthing._tcp.local.",
                "port": 5000,
                "properties": {"path": "/", "tls": "0", "address": "127.0.0.1"},
                "addresses": ["127.0.0.1"],
                "host": "0c9d.local.",
            }
            await until_registered(orchestrator)
        assert registry.bodies.empty()


async def test_it_is_tried_until_it_is_done(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with Registry(500, 503).running() as registry:
        orchestrator = Orchestrator(file, registry.origin)
        async with Registration(orchestrator, SERVICE, QUICK):
            for _ in range(3):
                await registry.next()
            await until_registered(orchestrator)
    assert "it answers 500" in caplog.text


async def test_an_orchestrator_that_comes_later_is_found(file: Path) -> None:
    async with Registry().running() as earlier:
        origin = earlier.origin
    orchestrator = Orchestrator(file, origin)
    async with Registration(orchestrator, SERVICE, QUICK):
        await asyncio.sleep(0.05)
        async with Registry().running(int(origin.rpartition(":")[2])) as registry:
            await registry.next()
            await until_registered(orchestrator)


async def test_a_restart_does_not_register_twice(file: Path) -> None:
    async with Registry().running() as registry:
        orchestrator = Orchestrator(file, registry.origin)
        async with Registration(orchestrator, SERVICE, QUICK):
            await until_registered(orchestrator)
        await registry.next()
        async with Registration(Orchestrator(file, registry.origin), SERVICE, QUICK):
            await asyncio.sleep(0.1)
        assert registry.bodies.empty()


async def test_a_restart_registers_with_one_that_has_forgotten_us(file: Path) -> None:
    async with Registry().running() as registry:
        orchestrator = Orchestrator(file, registry.origin)
        async with Registration(orchestrator, SERVICE, QUICK):
            await until_registered(orchestrator)
        await registry.next()
        impatient = Pace(known_seconds=0.01)
        async with Registration(Orchestrator(file, registry.origin), SERVICE, impatient):
            await registry.next()


async def test_a_servient_that_moved_registers_at_once(file: Path) -> None:
    moved = Service("first", "127.0.0.1", 5001, "0c9d")
    async with Registry().running() as registry:
        orchestrator = Orchestrator(file, registry.origin)
        async with Registration(orchestrator, SERVICE, QUICK):
            await until_registered(orchestrator)
        await registry.next()
        async with Registration(Orchestrator(file, registry.origin), moved, QUICK):
            assert (await registry.next())["port"] == 5001


async def test_without_health_checks_it_registers_and_announces_again(file: Path) -> None:
    announced = asyncio.Event()

    async def announce() -> None:
        announced.set()

    async with Registry().running() as registry:
        orchestrator = Orchestrator(file, registry.origin)
        pace = Pace(renewal_seconds=0.05)
        async with Registration(orchestrator, SERVICE, pace, announce):
            await registry.next()
            await registry.next()
        assert announced.is_set()


async def test_with_health_checks_it_does_not(file: Path) -> None:
    async with Registry().running() as registry:
        orchestrator = Orchestrator(file, registry.origin)
        async with Registration(orchestrator, SERVICE, Pace(renewal_seconds=0.5)):
            await registry.next()
            for _ in range(20):
                orchestrator.health_checked()
                await asyncio.sleep(0.05)
        assert registry.bodies.empty()


async def test_who_is_not_configured_is_not_registered_with(file: Path) -> None:
    async with Registry().running() as registry:
        orchestrator = Orchestrator(file)
        orchestrator.set(registry.origin)
        async with Registration(orchestrator, SERVICE, Pace(renewal_seconds=0.01)):
            await asyncio.sleep(0.1)
        assert registry.bodies.empty()


async def test_credentials_are_used_and_not_logged(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "servient")
    async with Registry(500).running() as registry:
        url = registry.origin.replace("http://", "http://user:secret@")
        orchestrator = Orchestrator(file, url)
        async with Registration(orchestrator, SERVICE, QUICK):
            await until_registered(orchestrator)
        assert registry.headers[0]["Authorization"].startswith("Basic ")
    assert "secret" not in caplog.text

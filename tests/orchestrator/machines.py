"""Servients as processes of their own, which can be killed and come back."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

from tests.orchestrator.devices import Device

START_SECONDS = 60.0
STOP_SECONDS = 20.0


class Machine:
    """`environment` is what its operator sets; name, port and folder stay the same on a restart."""

    def __init__(self, name: str, folder: Path, environment: dict[str, str]) -> None:
        self.name = name
        self.port = 0
        self._folder = folder
        self._environment = environment
        self._process: Process | None = None

    @property
    def device(self) -> Device:
        return Device(self.name, "127.0.0.1", self.port)

    @property
    def url(self) -> str:
        return self.device.url

    async def start(self) -> None:
        """Until it says that it is ready."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "servient", "run", "--json", "--log-level", "warning"),
            *("--bindings", "http", "--port", str(self.port)),
            env={**_bare(), "WASMIOT_SUPERVISOR_NAME": self.name, **self._environment},
            cwd=self._folder,
            stdin=PIPE,
            stdout=PIPE,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            line = await self._process.stdout.readline()
        self.port = int(json.loads(line)["http"].rpartition(":")[2])

    async def stop(self) -> None:
        """As an operator does."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """As a power cut does."""
        await self._end(signal.SIGKILL)

    async def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.communicate()
        except TimeoutError:
            process.kill()
            await process.communicate()
            raise


@contextlib.asynccontextmanager
async def machines(*several: Machine) -> AsyncIterator[tuple[Machine, ...]]:
    """All of them running; whatever happens, none runs afterwards."""
    try:
        async with asyncio.TaskGroup() as group:
            for machine in several:
                group.create_task(machine.start(), name=f"start {machine.name}")
        yield several
    finally:
        for machine in several:
            await machine.kill()


def _bare() -> dict[str, str]:
    """Our environment without settings of a servient."""
    prefixes = ("WASM_SERVIENT_", "WASMIOT_", "SUPERVISOR_", "FLASK_", "INSTANCE_PATH")
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}

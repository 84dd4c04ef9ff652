"""A servient in a process of its own, and what it takes."""

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psutil

from tests.soak.report import Sample

START_SECONDS = STOP_SECONDS = 60.0
SETTINGS = {"WASM_SERVIENT_HISTORY_LIMIT": "200", "WASM_SERVIENT_LOG_LEVEL": "warning"}
# What a killed broker has the servient say.
EXPECTED = re.compile(r"mosquitto|[Bb]roker|MQTT")


class ServientProcess:
    """While a block of `running` lasts: what it keeps is in `folder`, and its log."""

    http: httpx.AsyncClient
    addresses: dict[str, str]
    _process: psutil.Process

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """It ends by SIGTERM. Raises ChildProcessError when it does not end well."""
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
            self.addresses = json.loads(line)
            self._process = psutil.Process(process.pid)
            async with httpx.AsyncClient(base_url=self.addresses["http"], timeout=30) as self.http:
                yield
            process.send_signal(signal.SIGTERM)
            if code := await asyncio.wait_for(process.wait(), STOP_SECONDS):
                raise ChildProcessError(f"it ended with {code}")
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    def sample(self, seconds: float) -> Sample:
        return Sample(
            seconds,
            self._process.memory_info().rss,
            self._process.num_fds(),
            self._process.num_threads(),
            _size_of(self._folder / "instance"),
        )

    @property
    def has_broker(self) -> bool:
        return bool(self._brokers())

    def kill_broker(self) -> bool:
        """Whether there was one."""
        brokers = self._brokers()
        for broker in brokers:
            broker.kill()
        return bool(brokers)

    def _brokers(self) -> list[psutil.Process]:
        return [child for child in self._process.children() if _name_of(child) == "mosquitto"]

    def unexpected_lines(self) -> list[str]:
        lines = (self._folder / "log").read_text(errors="replace").splitlines()
        return [line for line in lines if line.strip() and not EXPECTED.search(line)][:20]


def _name_of(process: psutil.Process) -> str:
    """Empty when it has just ended."""
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def _size_of(folder: Path) -> int:
    """Of a folder in which files come and go meanwhile."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += (Path(place) / name).stat().st_size
    return total

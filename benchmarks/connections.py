"""Many open connections, half of which never say a byte: what the others notice.

    python -m benchmarks.connections [--count 2000] [--seconds 10]

One servient in a process of its own. First `CLIENTS` clients ask on an idle servient; then as many ask
while `count` connections are open: half are silent, the other half asks now and then, in turn. The
clients are the same and as busy both times, so that what differs is the connections.
"""

import argparse
import asyncio
import contextlib
import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

CLIENTS = 4
PAUSE_SECONDS = 0.02
FACTOR_LIMIT = 2.0
# Below this, what is measured is the machine's scheduler.
FLOOR_SECONDS = 0.005
REQUEST = b"GET /things/servient/properties/things HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Times:
    """Of how long requests took, in seconds."""

    count: int
    median: float
    p99: float

    @classmethod
    def of(cls, taken: list[float]) -> "Times":
        ordered = sorted(taken)
        return cls(len(ordered), ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)])

    def __str__(self) -> str:
        return (
            f"{self.count} requests, median {self.median * 1e3:.2f} ms, p99 {self.p99 * 1e3:.2f} ms"
        )


@dataclass(frozen=True, slots=True)
class Found:
    idle: Times
    loaded: Times
    open: int
    failures: int

    @property
    def is_good(self) -> bool:
        limit = FACTOR_LIMIT * max(self.idle.p99, FLOOR_SECONDS)
        return not self.failures and self.loaded.p99 <= limit


class Client:
    """One connection that is kept."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, port: int) -> "Client":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self) -> float:
        began = time.perf_counter()
        self.writer.write(REQUEST)
        head = await self._reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise ConnectionError(head[:100])
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        await self._reader.readexactly(length)
        return time.perf_counter() - began


async def measure(count: int, seconds: float) -> Found:
    allow_descriptors(2 * count + 200)
    async with servient() as port:
        await _ask_for(port, 1.0)
        idle = Times.of(await _ask_for(port, seconds))
        async with asyncio.timeout(60):
            silent = [await Client.connect(port) for _ in range(count // 2)]
            others = [await Client.connect(port) for _ in range(count - count // 2)]
        failures = 0
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(_ask_for(port, seconds), name="measured clients")
            while not asking.done():
                for client in others:
                    try:
                        await client.ask()
                    except (OSError, asyncio.IncompleteReadError):
                        failures += 1
                    await asyncio.sleep(PAUSE_SECONDS / CLIENTS)
                    if asking.done():
                        break
        loaded = Times.of(asking.result())
        still_open = sum(not each.writer.is_closing() for each in (*silent, *others))
        for client in (*silent, *others):
            client.writer.close()
        return Found(idle, loaded, still_open, failures)


async def _ask_for(port: int, seconds: float) -> list[float]:
    until = time.monotonic() + seconds

    async def ask() -> list[float]:
        client = await Client.connect(port)
        taken = []
        while time.monotonic() < until:
            taken.append(await client.ask())
            await asyncio.sleep(PAUSE_SECONDS)
        client.writer.close()
        return taken

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(), name=f"client {number}") for number in range(CLIENTS)]
    return [each for task in tasks for each in task.result()]


@contextlib.asynccontextmanager
async def servient() -> AsyncIterator[int]:
    with tempfile.TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                "-m",
                "servient",
                "run",
                "--json",
                "--bindings",
                "http",
                "--port",
                "0",
            ),
            *("--instance-path", str(Path(folder) / "instance"), "--log-level", "warning"),
            stdout=asyncio.subprocess.PIPE,
            env=dict(os.environ),
        )
        try:
            assert process.stdout is not None
            line = await asyncio.wait_for(process.stdout.readline(), 60)
            yield urlsplit(json.loads(line)["http"]).port or 0
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.communicate()


def allow_descriptors(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.connections")
    arguments.add_argument("--count", type=int, default=2000)
    arguments.add_argument("--seconds", type=float, default=10.0)
    given = arguments.parse_args()
    found = asyncio.run(measure(given.count, given.seconds))
    print(f"idle:   {found.idle}")
    print(f"loaded: {found.loaded}; {found.open} connections open, {found.failures} failures")
    print("good" if found.is_good else "FAILED")
    return 0 if found.is_good else 1


if __name__ == "__main__":
    sys.exit(main())

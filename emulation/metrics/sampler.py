"""Looks at processes and at the machine, once a second, and records how busy they are."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Iterator
from typing import Self

import psutil

from emulation.metrics.recorder import Recorder
from emulation.metrics.records import HostRecord, UsageRecord
from servient.background import Background

INTERVAL_SECONDS = 1.0


class Sampler(Background):
    """Samples while its `async with` block lasts: the machine, and the processes that are added.

    A process is sampled with its children; one that has ended is forgotten.
    """

    task_name = "sampler"

    def __init__(self, recorder: Recorder, *, watches_host: bool = True) -> None:
        self._recorder = recorder
        self._watches_host = watches_host
        self._roots: dict[str, psutil.Process] = {}
        self._seconds: dict[str, tuple[float, float]] = {}

    def add(self, replica: str, process_id: int) -> None:
        with contextlib.suppress(psutil.Error):
            self._roots[replica] = psutil.Process(process_id)
            self._seconds.pop(replica, None)

    def remove(self, replica: str) -> None:
        self._roots.pop(replica, None)
        self._seconds.pop(replica, None)

    async def __aenter__(self) -> Self:
        psutil.cpu_percent()  # the first call only begins the measurement
        return await super().__aenter__()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + INTERVAL_SECONDS
            await asyncio.sleep(INTERVAL_SECONDS)
            self.sample(loop.time() - due)

    def sample(self, delay_seconds: float = 0.0) -> None:
        """Record how things are now."""
        at = time.time()
        if self._watches_host:
            share, load = psutil.cpu_percent() / 100, os.getloadavg()[0]
            memory = psutil.virtual_memory().percent / 100
            host = socket.gethostname()
            self._recorder.record(HostRecord(host, at, share, load, memory, delay_seconds))
        children = _children()
        for replica in tuple(self._roots):
            self._sample(replica, children)

    def _sample(self, replica: str, children: dict[int, list[psutil.Process]]) -> None:
        root = self._roots[replica]
        if not root.is_running():
            self.remove(replica)
            return
        used, memory = 0.0, 0
        for process in _family(root, children):
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                used += times.user + times.system
                memory += process.memory_info().rss
        now = time.time()
        before = self._seconds.get(replica)
        self._seconds[replica] = (now, used)
        # One that has ended, and that nobody has asked about yet, has no memory any more.
        if before is not None and now > before[0] and memory:
            cpu = max(0.0, used - before[1]) / (now - before[0])
            self._recorder.record(UsageRecord(replica, now, cpu, memory))


def _children() -> dict[int, list[psutil.Process]]:
    """The children of every process, in one pass over all: asking each for its own takes as many."""
    found: dict[int, list[psutil.Process]] = {}
    for process in psutil.process_iter(["ppid"]):
        found.setdefault(process.info["ppid"], []).append(process)
    return found


def _family(
    root: psutil.Process, children: dict[int, list[psutil.Process]]
) -> Iterator[psutil.Process]:
    yield root
    for child in children.get(root.pid, ()):
        yield from _family(child, children)

"""Many clients that execute a function with files of their own: is any mixed up, does anything grow?

`python -m benchmarks.executions --clients 64 --executions 20000` prints the memory of the servient and
what is in its folder after each tenth of the executions: once the history is full, neither grows.
"""

import argparse
import asyncio
import itertools
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.files import serve_files
from tests.orchestrator.machines import Machine

SAMPLES = 10
SIDE = 32
HEADER = f"\n{SIDE} {SIDE}\n255\n".encode()
FUNCTION = "/pictures/modules/grayscale/grayscale"


@dataclass(frozen=True, slots=True)
class Sample:
    """The servient after some executions; sizes in bytes."""

    executions: int
    memory: int
    disk: int
    files: int


class Mixed(Exception):
    """Somebody got a result that is not that of the own request."""


async def execute(http: httpx.AsyncClient, chance: random.Random) -> None:
    """One execution with a picture that nobody else has; checks the result. Raises Mixed."""
    pixels = [chance.randbytes(3) for _ in range(SIDE * SIDE)]
    grey = bytes((299 * r + 587 * g + 114 * b + 500) // 1000 for r, g, b in pixels)
    picture = b"P6" + HEADER + b"".join(pixels)
    answer = (await http.post(FUNCTION, files={"image.ppm": ("blob", picture)})).json()
    entry = (await http.get(answer["resultUrl"])).json()
    if not entry["success"]:
        raise Mixed(f"{entry['request_id']}: {entry.get('error')}")
    result = await http.get(entry["outputs"][0])
    if result.content != b"P5" + HEADER + grey:
        said = f"{result.status_code} {result.content[:200]!r}"
        raise Mixed(f"{entry['request_id']} has not the result of its request: {said}")


def sample(executions: int, process: psutil.Process, folder: Path) -> Sample:
    files = [file.stat().st_size for file in walk(folder)]
    return Sample(executions, process.memory_info().rss, sum(files), len(files))


def walk(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in names)


async def run(folder: Path, clients: int, executions: int, history: int) -> dict[str, Any]:
    machine = Machine("load", folder, {"WASM_SERVIENT_HISTORY_LIMIT": str(history)})
    limits = httpx.Limits(max_connections=clients)
    async with serve_files() as files, httpx.AsyncClient(timeout=120, limits=limits) as http:
        await machine.start()
        try:
            http.base_url = httpx.URL(machine.url)
            manifest = files.manifest("grayscale/manifest.json", deploymentId="pictures")
            (await http.post("/deploy", json=manifest)).raise_for_status()
            return await _load(http, machine, folder, clients, executions)
        finally:
            await machine.kill()


async def _load(
    http: httpx.AsyncClient, machine: Machine, folder: Path, clients: int, executions: int
) -> dict[str, Any]:
    process = _process_on(machine.port)
    begun = time.perf_counter()
    samples = [sample(0, process, folder)]
    for _ in range(SAMPLES):
        share = itertools.repeat(None, executions // SAMPLES)

        async def client(seed: int, share: Iterator[None] = share) -> None:
            chance = random.Random(seed)
            for _ in share:
                await execute(http, chance)

        async with asyncio.TaskGroup() as group:
            for number in range(clients):
                seed = len(samples) * clients + number
                group.create_task(client(seed), name=f"client {number}")
        count = len(samples) * (executions // SAMPLES)
        samples.append(sample(count, process, folder))
    seconds = time.perf_counter() - begun
    return {"samples": [asdict(each) for each in samples], "per_second": count / seconds}


def _process_on(port: int) -> psutil.Process:
    for process in psutil.Process().children():
        if any(each.laddr.port == port for each in process.net_connections("tcp") if each.laddr):
            return process
    raise LookupError(f"no process listens on port {port}")


def growth(samples: list[dict[str, int]], of: str) -> float:
    """By how much the last third is larger than the third before it."""
    third = len(samples) // 3
    before = statistics.fmean(each[of] for each in samples[-2 * third : -third])
    return statistics.fmean(each[of] for each in samples[-third:]) / before - 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--executions", type=int, default=20_000)
    parser.add_argument("--history", type=int, default=1000, help="invocations that are remembered")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(run(Path(folder), given.clients, given.executions, given.history))
    if given.json:
        print(json.dumps(found))
        return
    print(f"{'executions':>10} {'memory MB':>10} {'disk MB':>10} {'files':>8}")
    for each in found["samples"]:
        memory, disk = each["memory"] / 1e6, each["disk"] / 1e6
        print(f"{each['executions']:10} {memory:10.1f} {disk:10.1f} {each['files']:8}")
    print(f"{found['per_second']:.0f} executions a second, no file of another request")


if __name__ == "__main__":
    main()

"""How long a servient takes from the start of its process to its first answer, with what it kept.

`python -m benchmarks.restart --deployments 100`
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from tests.files import serve_files
from tests.orchestrator.machines import Machine

RESTARTS = 5
EXPECTED = 21  # the seventh number from 1 on


async def run(folder: Path, deployments: int) -> dict[str, Any]:
    """Milliseconds of a start with nothing deployed, and of each restart with all deployments."""
    machine = Machine("restart", folder, {})
    async with serve_files() as files, httpx.AsyncClient(timeout=60) as http:
        try:
            begun = time.perf_counter()
            await machine.start()
            empty = time.perf_counter() - begun
            for number in range(deployments):
                manifest = files.manifest("fibonacci/manifest.json", deploymentId=f"d{number}")
                (await http.post(f"{machine.url}/deploy", json=manifest)).raise_for_status()
            await machine.stop()
            full = [await _restart(machine, http, deployments) for _ in range(RESTARTS)]
        finally:
            await machine.kill()
    return {"empty_ms": round(empty * 1e3), "full_ms": [round(each * 1e3) for each in full]}


async def _restart(machine: Machine, http: httpx.AsyncClient, deployments: int) -> float:
    begun = time.perf_counter()
    await machine.start()
    last = f"{machine.url}/things/d{deployments - 1}:fibonacci/actions/fibo"
    answer = await http.post(last, json={"iterations": 7})
    seconds = time.perf_counter() - begun
    if answer.json() != EXPECTED:
        raise RuntimeError(f"{last} answered {answer.text}")
    await machine.kill()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deployments", type=int, default=100)
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(run(Path(folder), given.deployments))
    if given.json:
        print(json.dumps(found))
        return
    print(f"nothing deployed: {found['empty_ms']} ms until it says that it is ready")
    median = statistics.median(found["full_ms"])
    print(f"{given.deployments} deployments: {median} ms until the first answer {found['full_ms']}")


if __name__ == "__main__":
    main()

"""Runs topologies for tests."""

import asyncio
import json
from pathlib import Path
from typing import Any

from emulation.embedded.runner import Embedded, Run
from emulation.metrics.run import RunFolder
from emulation.topology import Topology

APPS = Path(__file__).parent / "apps"


def embedded(topology: Topology, out: Path) -> Embedded:
    return Embedded(Run(topology, APPS, RunFolder(out)))


async def written(emulation: Embedded, files: list[Path]) -> list[Any]:
    """What applications wrote, when they all have."""
    running = asyncio.create_task(emulation.run(None))
    try:
        while not all(file.exists() for file in files):
            assert not running.done(), running.exception()
            await asyncio.sleep(0.05)
    finally:
        running.cancel()
    return [json.loads(file.read_text()) for file in files]

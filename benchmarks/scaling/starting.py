"""From the start of the process to its first answer, and what it has in memory then."""

import compileall
import statistics
import time
from pathlib import Path
from typing import Any

from benchmarks.peers.deploying import ask
from benchmarks.peers.servient import servient

ROOT = Path(__file__).parents[2]
PACKAGES = ("servient", "converters", "thing_descriptions", "emulation")


def measure(times: int) -> dict[str, Any]:
    # As pip does when it installs; a checkout may be where Python keeps nothing that it compiles.
    for package in PACKAGES:
        compileall.compile_dir(ROOT / package, quiet=1)
    spent, cpu, memory = [], [], []
    for _ in range(times):
        began = time.perf_counter()
        with servient() as asked:
            ask(f"{asked.http}/things")
            spent.append((time.perf_counter() - began) * 1e3)
            cpu.append(asked.process.cpu_seconds * 1e3)
            memory.append(asked.process.memory_bytes / 1e6)
    return {
        "first_answer_ms": statistics.median(spent),
        "cpu_ms": statistics.median(cpu),
        # With the private broker, which is a process of its own.
        "memory_mb": statistics.median(memory),
    }

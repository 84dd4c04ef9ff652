"""From the start of the process to its first answer, and what it has in memory then."""

import statistics
import time
from typing import Any

from benchmarks.peers.deploying import ask
from benchmarks.peers.servient import servient


def measure(times: int) -> dict[str, Any]:
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

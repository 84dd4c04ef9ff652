"""How late property reads are answered while another Thing computes for seconds."""

import concurrent.futures
import statistics
import time
from typing import Any

from benchmarks.load.generator import generate
from benchmarks.load.targets import HttpTarget
from benchmarks.peers.deploying import ask, deploy, fibonacci_manifest, serving
from benchmarks.peers.servient import servient

# Some seconds of recursion, less than the deadline of a call.
LONG_NUMBER = 44


def measure(seconds: float, rounds: int) -> dict[str, Any]:
    """Milliseconds of reads by one client, in turns without and with the other Thing at work."""
    idle, busy = [], []
    with (
        serving() as origin,
        servient() as asked,
        concurrent.futures.ThreadPoolExecutor(1) as others,
    ):
        for name in ("read", "busy"):
            deploy(asked.http, fibonacci_manifest(origin, name))
        thing = f"{asked.http}/things/read:fibonacci"
        ask(f"{thing}/actions/fibo", {"iterations": 7})
        target = HttpTarget(f"{thing}/properties/fibo_result", "21")
        action = f"{asked.http}/things/busy:fibonacci/actions/fibo_recursive"
        for _ in range(rounds):
            idle.append(generate(target, 1, seconds).p99_ms)
            computing = others.submit(_compute, action)
            time.sleep(0.2)
            busy.append(generate(target, 1, seconds).p99_ms)
            if computing.result() < seconds:
                raise RuntimeError(f"the other Thing computed for {computing.result():.1f} s only")
    return {
        "idle_p99_ms": statistics.median(idle),
        "busy_p99_ms": statistics.median(busy),
        "busy_vs_idle": statistics.median(b / i for b, i in zip(busy, idle, strict=True)),
    }


def _compute(action: str) -> float:
    began = time.perf_counter()
    ask(action, {"iterations": LONG_NUMBER})
    return time.perf_counter() - began

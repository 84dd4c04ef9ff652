"""One Thing beside a hundred and a thousand: are calls as fast, and what does each Thing take?"""

import statistics
from typing import Any

from benchmarks.load.generator import generate
from benchmarks.load.targets import HttpTarget
from benchmarks.peers.deploying import deploy, fibonacci_manifest, serving
from benchmarks.peers.servient import INPUT, Servient, servient

CONCURRENCY = 16


def measure(counts: tuple[int, ...], seconds: float, rounds: int) -> dict[str, Any]:
    """Rates beside those of a servient with one Thing, measured in turns; memory by Things."""
    found: dict[str, Any] = {}
    with serving() as origin, servient() as small, servient() as large:
        deploy(small.http, fibonacci_manifest(origin, "d0"))
        deployed, memory = 0, {}
        for count in counts:
            for number in range(deployed, count):
                deploy(large.http, fibonacci_manifest(origin, f"d{number}"))
            deployed = count
            found[str(count)] = _compare(small, large, count, seconds, rounds)
            memory[count] = large.process.memory_bytes
    first, last = counts[0], counts[-1]
    if last > first:
        found["kb_per_thing"] = (memory[last] - memory[first]) / (last - first) / 1000
    return found


def _compare(
    small: Servient, large: Servient, count: int, seconds: float, rounds: int
) -> dict[str, float]:
    ratios: dict[str, list[float]] = {"invoke": [], "read": []}
    for _ in range(rounds):
        for operation, rates in ratios.items():
            one = generate(_target(small, "d0", operation), CONCURRENCY, seconds)
            # One in the middle of them.
            many = generate(_target(large, f"d{count // 2}", operation), CONCURRENCY, seconds)
            rates.append(many.per_second / max(one.per_second, 1e-9))
    return {f"{name}_vs_one": statistics.median(values) for name, values in ratios.items()}


def _target(asked: Servient, deployment: str, operation: str) -> HttpTarget:
    thing = f"{asked.http}/things/{deployment}:fibonacci"
    if operation == "read":
        return HttpTarget(f"{thing}/properties/fibo_result", "21")
    return HttpTarget(f"{thing}/actions/fibo", "21", "POST", INPUT)

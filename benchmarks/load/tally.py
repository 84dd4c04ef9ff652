"""What a load generator counts: answers by their value, and how long each took."""

import resource
import statistics
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """One measurement. `generator_cpu` is the share of a core that the generator itself took."""

    answers: int
    wrong: int
    lost: int
    seconds: float
    p50_ms: float
    p99_ms: float
    generator_cpu: float

    @property
    def per_second(self) -> float:
        return self.answers / self.seconds


class Tally:
    """Counts from its making on."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._cpu = _cpu_seconds()
        self._latencies: list[float] = []
        self.wrong = 0
        self.lost = 0

    def count(self, asked_at: float, *, is_right: bool) -> None:
        if is_right:
            self._latencies.append(time.perf_counter() - asked_at)
        else:
            self.wrong += 1

    def close(self) -> Load:
        seconds = time.perf_counter() - self._began
        return Load(
            len(self._latencies),
            self.wrong,
            self.lost,
            seconds,
            percentile(self._latencies, 50) * 1e3,
            percentile(self._latencies, 99) * 1e3,
            (_cpu_seconds() - self._cpu) / seconds,
        )


def percentile(values: list[float], percent: int) -> float:
    if len(values) < 2:
        return values[0] if values else float("nan")
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime

"""Measures contenders in turns, A B A B, and what each takes of the machine meanwhile."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.load.generator import generate
from benchmarks.load.tally import Load
from benchmarks.peers.contender import Case, Contender

WARM_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Point:
    """One contender in one case: a number for each round."""

    rates: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)
    generator_cpu: list[float] = field(default_factory=list)
    wrong: list[float] = field(default_factory=list)

    def add(self, load: Load, cpu_seconds: float, peak_bytes: int) -> None:
        self.rates.append(load.per_second)
        self.p50_ms.append(load.p50_ms)
        self.p99_ms.append(load.p99_ms)
        self.cpu_us.append(cpu_seconds / max(load.answers, 1) * 1e6)
        self.peak_mb.append(peak_bytes / 1e6)
        self.generator_cpu.append(load.generator_cpu)
        self.wrong.append(load.wrong + load.lost)

    def medians(self) -> dict[str, float]:
        names = ("rates", "p50_ms", "p99_ms", "cpu_us", "peak_mb", "generator_cpu")
        found = {name: statistics.median(getattr(self, name)) for name in names}
        return {**found, "wrong": sum(self.wrong)}


# By case, concurrency and the contender's name.
Points = dict[tuple[Case, int, str], Point]


def measure(
    contenders: Sequence[Contender],
    cases: Iterable[Case],
    concurrencies: Sequence[int],
    *,
    seconds: float,
    rounds: int,
    tell: Callable[[str], None],
) -> Points:
    """In each round every contender has its turn, so that a machine's drift meets all of them."""
    points: Points = {}
    for case in cases:
        able = [contender for contender in contenders if case in contender.targets]
        for contender in able:
            generate(contender.targets[case], max(concurrencies), WARM_UP_SECONDS)
        for concurrency in concurrencies:
            for number in range(rounds):
                tell(f"{case[0]} {case[1]}, {concurrency} at a time, round {number + 1}/{rounds}")
                for contender in able:
                    point = points.setdefault((case, concurrency, contender.name), Point())
                    _add(point, contender, case, concurrency, seconds)
    return points


def _add(point: Point, contender: Contender, case: Case, concurrency: int, seconds: float) -> None:
    process = contender.process
    before = process.cpu_seconds
    load = generate(contender.targets[case], concurrency, seconds)
    point.add(load, process.cpu_seconds - before, process.peak_memory_bytes)


def ratio(points: Points, case: Case, concurrency: int, ours: str, theirs: str) -> float | None:
    """The median of the rates' ratios within each round; None where one was not measured."""
    a, b = points.get((case, concurrency, ours)), points.get((case, concurrency, theirs))
    if a is None or b is None:
        return None
    return statistics.median(
        x / y if y else float("inf") for x, y in zip(a.rates, b.rates, strict=True)
    )

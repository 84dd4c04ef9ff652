"""What was done and acknowledged, what it took, and what is not as it has to be."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

# What is bounded has to be at its bounds before memory can be flat. The last to get there is what is
# remembered of messages over CoAP, for 247 s each (RFC 7252 section 4.8.2): about 1 kB for each.
FULL_SECONDS = 400.0
# Of a run that is shorter.
WARM_SHARE = 0.4
# A median of so many samples: a collection of garbage in between does not tell much.
SAMPLES = 5
MIB = 2**20
# By how much memory may differ from there to the end, in a run that goes on for long after that, and in
# one that is over before.
FLAT_BYTES = 4 * MIB
FILLING_BYTES = 24 * MIB
DISK_BYTES = 8 * MIB


@dataclass(slots=True)
class Ledger:
    """What was asked, and what was acknowledged."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    deployed: set[str] = field(default_factory=set)
    undecided: set[str] = field(default_factory=set)
    increments: int = 0
    lost_increments: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """What the servient takes, so long after the beginning."""

    seconds: float
    memory_bytes: int
    descriptors: int
    threads: int
    disk_bytes: int

    @classmethod
    def median(cls, samples: Sequence[Self]) -> Self:
        def middle(name: str) -> int:
            return int(statistics.median(getattr(sample, name) for sample in samples))

        names = ("memory_bytes", "descriptors", "threads", "disk_bytes")
        return cls(samples[0].seconds, *map(middle, names))

    def __str__(self) -> str:
        memory, disk = self.memory_bytes / MIB, self.disk_bytes / MIB
        held = f"{self.descriptors} descriptors, {self.threads} threads"
        return f"{memory:.1f} MiB, {held}, {disk:.2f} MiB on disk at {self.seconds:.0f} s"


@dataclass(slots=True)
class Report:
    """`samples` are of the time in which everything was done, `last` is from a while after it."""

    ledger: Ledger
    samples: Sequence[Sample]
    last: Sample
    count: int
    lines: Sequence[str]
    wires: Sequence[str]

    @property
    def is_long(self) -> bool:
        """Whether it went on for as long again when everything was full."""
        return self.last.seconds >= 2 * FULL_SECONDS

    @property
    def warm(self) -> Sample:
        """As it was when everything had been done often enough."""
        since = FULL_SECONDS if self.is_long else WARM_SHARE * self.last.seconds
        found = [sample for sample in self.samples if sample.seconds >= since]
        return Sample.median(found[:SAMPLES] or self.samples[-1:])

    def faults(self) -> list[str]:
        """Everything that is not as it has to be."""
        ledger = self.ledger
        done = ("deploy", "undeploy", "trap", *self.wires)
        return [
            *ledger.faults,
            *(f"in the log: {line}" for line in self.lines),
            *self._miscounted(),
            *self._grown(),
            *(f"nothing was done: {name}" for name in done if not ledger.counts[name]),
        ]

    def _miscounted(self) -> list[str]:
        least = self.ledger.increments
        most = least + self.ledger.lost_increments
        if least <= self.count <= most:
            return []
        return [f"{least} to {most} increments, and the counter is {self.count}"]

    def _grown(self) -> list[str]:
        warm, last = self.warm, self.last
        limits = {
            "memory_bytes": FLAT_BYTES if self.is_long else FILLING_BYTES,
            "descriptors": 20,
            "threads": 8,
            "disk_bytes": DISK_BYTES,
        }
        return [
            f"{name} grew from {getattr(warm, name)} to {getattr(last, name)}"
            for name, limit in limits.items()
            if getattr(last, name) > getattr(warm, name) + limit
        ]

    def __str__(self) -> str:
        done = ", ".join(f"{name} {count}" for name, count in sorted(self.ledger.counts.items()))
        count = f"{self.ledger.increments} increments acknowledged, the counter is {self.count}"
        step = max(1, len(self.samples) // 10)
        return "\n".join([done, count, *map(str, self.samples[::step]), f"in the end: {self.last}"])

"""Feeds a parser, and watches that it neither crashes nor hangs nor keeps what it was fed."""

import random
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import psutil

from tests.fuzz.parsers import Parser

# Of computing, so that a busy machine is not taken for a slow parser.
HANG_SECONDS = 1.0
GROWTH_LIMIT_BYTES = 24 * 2**20


class Hung(BaseException):
    """Not an Exception: no parser may catch it."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the inputs of one parser."""

    parser: str
    accepted: int
    refused: int
    failures: tuple[str, ...]
    growth_bytes: int

    @property
    def is_good(self) -> bool:
        return not self.failures and self.growth_bytes < GROWTH_LIMIT_BYTES

    def __str__(self) -> str:
        counts = f"{self.accepted:>9} accepted {self.refused:>9} refused"
        return f"{self.parser:<22} {counts}  {self.growth_bytes / 2**20:+6.1f} MiB"


def run(parser: Parser, count: int, seed: int) -> Report:
    """Input `i` of a parser and a seed is always the same one."""
    seeds = parser.seeds()
    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    process = psutil.Process()
    warm = count // 5
    before = process.memory_info().rss
    with _alarm():
        for index in range(count):
            if index == warm:  # caches have filled by now
                before = process.memory_info().rss
            chance = random.Random(f"{seed}/{parser.name}/{index}")
            data = seeds[index] if index < len(seeds) else parser.mutate(chance, seeds)
            outcome = _feed(parser, data)
            outcomes[outcome] += 1
            if outcome not in ("accepted", "refused") and len(failures) < 10:
                failures.append(f"{parser.name} #{index} (seed {seed}): {outcome}: {data[:300]!r}")
    growth = process.memory_info().rss - before
    return Report(parser.name, outcomes["accepted"], outcomes["refused"], tuple(failures), growth)


def _feed(parser: Parser, data: bytes) -> str:
    signal.setitimer(signal.ITIMER_VIRTUAL, HANG_SECONDS)
    try:
        parser.parse(data)
    except parser.refusals:
        return "refused"
    except Hung:
        return f"takes more than {HANG_SECONDS:g} s"
    except BaseException as error:  # whatever it is, it is what we are looking for
        if isinstance(error, KeyboardInterrupt):
            raise
        return f"{type(error).__name__}: {str(error)[:200]}"
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return "accepted"


@contextmanager
def _alarm() -> Iterator[None]:
    def ring(_: int, __: FrameType | None) -> None:
        raise Hung

    earlier = signal.signal(signal.SIGVTALRM, ring)
    try:
        yield
    finally:
        signal.signal(signal.SIGVTALRM, earlier)

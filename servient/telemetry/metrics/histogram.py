"""How often something took how long: counts by upper bounds, cheap enough for every invocation."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate


class Histogram:
    """`bounds_seconds` are upper bounds, growing; what is above the last is counted as well."""

    __slots__ = ("_bounds", "_counts", "sum_seconds")

    def __init__(self, bounds_seconds: Sequence[float]) -> None:
        self._bounds = tuple(bounds_seconds)
        self._counts = [0] * (len(self._bounds) + 1)
        self.sum_seconds = 0.0

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self.sum_seconds += seconds

    def buckets(self) -> Iterator[tuple[str, int]]:
        """Each bound as Prometheus spells it, and how many were not above it."""
        names = (*map(str, self._bounds), "+Inf")
        return zip(names, accumulate(self._counts), strict=True)

    def copy(self) -> "Histogram":
        """As it is now, for who reads it on another thread."""
        copied = Histogram(self._bounds)
        copied._counts = self._counts.copy()
        copied.sum_seconds = self.sum_seconds
        return copied

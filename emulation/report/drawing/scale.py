"""From numbers to places on a drawing, and the ticks of an axis."""

import math
from dataclasses import dataclass

# Beyond this, only the powers of ten themselves are marked on a logarithmic scale.
MANY_POWERS = 1000


@dataclass(frozen=True, slots=True)
class Scale:
    """From `low`..`high` to `start`..`end`; what is outside is put on the edge."""

    low: float
    high: float
    start: float
    end: float
    is_logarithmic: bool = False

    def __call__(self, number: float) -> float:
        low, high, value = self.low, self.high, number
        if self.is_logarithmic:
            low, high, value = math.log10(low), math.log10(high), math.log10(max(value, self.low))
        share = (value - low) / (high - low) if high > low else 0.0
        return round(self.start + min(1.0, max(0.0, share)) * (self.end - self.start), 2)

    def ticks(self) -> list[float]:
        """Round numbers, some five of them; the powers of ten of a logarithmic scale."""
        if self.is_logarithmic:
            factors = (1, 2, 5) if self.high / self.low < MANY_POWERS else (1,)
            first, last = math.floor(math.log10(self.low)), math.floor(math.log10(self.high))
            marks = (f * 10.0**power for power in range(first, last + 1) for f in factors)
            return [mark for mark in marks if self.low <= mark <= self.high]
        step = _round_step((self.high - self.low) / 5 or 1.0)
        first = math.ceil(self.low / step - 1e-9)
        return [number * step for number in range(first, math.floor(self.high / step + 1e-9) + 1)]


def _round_step(step: float) -> float:
    size: float = 10 ** math.floor(math.log10(step))
    return next(factor * size for factor in (1, 2, 5, 10) if factor * size >= step * 0.999)

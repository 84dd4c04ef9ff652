"""How late the event loop is: what everybody waits for whose turn it would be."""

import asyncio
import time

from servient.background import Background
from servient.telemetry.metrics.histogram import Histogram

PERIOD_SECONDS = 1.0
BOUNDS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class LoopLag(Background):
    """While its `async with` block lasts, a timer runs, and `durations` says how late it was."""

    task_name = "loop lag"

    def __init__(self, period_seconds: float = PERIOD_SECONDS) -> None:
        self._period_seconds = period_seconds
        self.durations = Histogram(BOUNDS_SECONDS)

    async def _run(self) -> None:
        while True:
            # Not the loop's own clock, which stands still while a callback runs.
            due = time.monotonic() + self._period_seconds
            await asyncio.sleep(self._period_seconds)
            self.durations.observe(max(0.0, time.monotonic() - due))

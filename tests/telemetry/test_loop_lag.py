"""A loop that hangs is seen to."""

import asyncio
import time

from servient.telemetry.metrics.loop_lag import LoopLag

HANGS_SECONDS = 0.3
DEADLINE_SECONDS = 20.0


async def test_what_holds_the_loop_up_is_counted() -> None:
    async with LoopLag(period_seconds=0.01) as lag, asyncio.timeout(DEADLINE_SECONDS):
        await asyncio.sleep(0)
        time.sleep(HANGS_SECONDS)
        while not lag.durations.sum_seconds:
            await asyncio.sleep(0.01)
    assert lag.durations.sum_seconds > HANGS_SECONDS / 2
    of_all, in_time = dict(lag.durations.buckets()), dict(lag.durations.buckets())["0.1"]
    assert of_all["+Inf"] > in_time
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "loop lag"]

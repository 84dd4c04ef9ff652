"""Dies after a time of random length."""

import asyncio
import random
from typing import Any


class Died(Exception):
    """What the application ends with."""


async def app(wot: Any, conf: Any, loop: Any, mean_time: str = "60.0") -> None:
    """`mean_time`: seconds, on average."""
    seconds = random.expovariate(1 / float(mean_time))
    await asyncio.sleep(seconds)
    raise Died(f"as planned, after {seconds:.1f} s")

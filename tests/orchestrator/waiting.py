"""Waits for what happens by itself."""

import asyncio
from collections.abc import Callable

PATIENCE_SECONDS = 60.0


async def until(is_so: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Raises TimeoutError when it does not come true."""
    async with asyncio.timeout(seconds):
        while not is_so():
            await asyncio.sleep(0.05)

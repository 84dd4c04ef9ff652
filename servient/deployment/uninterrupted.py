"""Work that is carried through once it has begun."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


async def uninterrupted(work: Coroutine[Any, Any, _T], name: str) -> _T:
    """What the work returns, also for a caller that is cancelled meanwhile: it is too late then."""
    task = asyncio.create_task(work, name=name)
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:  # whoever cancels finds it done, or failed
            continue
    return task.result()

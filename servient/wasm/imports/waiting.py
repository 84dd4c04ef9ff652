"""Waiting for the network on a guest's thread, for no longer than the guest may run."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from servient.wasm.imports.caller import Caller

CHECK_SECONDS = 0.05

T = TypeVar("T")


def wait_for(coroutine: Coroutine[Any, Any, T], caller: Caller) -> T:
    """Run it on a loop of this thread's own. Raises Interrupted when the guest must stop.

    A blocking client would not do: its timeouts begin anew with every byte that drips in.
    """
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(_watched(coroutine, caller))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _watched(coroutine: Coroutine[Any, Any, T], caller: Caller) -> T:
    task = asyncio.create_task(coroutine, name="host-import")
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=CHECK_SECONDS)
            if not task.done():
                caller.check()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return task.result()

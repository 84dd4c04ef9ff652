"""What runs the calls of a module, in whichever way it does."""

import asyncio
from collections.abc import Awaitable
from typing import Any, Protocol

from servient.wasm.types import Call, CallResult


class Running(Protocol):
    """See `Instance`."""

    @property
    def generation(self) -> int:
        """How often the state was lost."""
        ...

    @property
    def pending(self) -> int:
        """How many calls run or wait."""
        ...

    async def start(self) -> None: ...

    async def call(self, call: Call) -> CallResult: ...

    def begin(self, call: Call) -> CallResult | asyncio.Future[CallResult] | None:
        """As `call`, of a call that can run at once: its result, where it ended soon enough.

        None where it cannot: nothing is begun.
        """
        ...

    def interrupt(self, call: Call) -> None:
        """End a call whose caller is gone, if it runs: that costs the state."""
        ...

    async def close(self) -> None: ...


class Interruptible(Protocol):
    """What a call can be ended in."""

    async def call(self, call: Any) -> Any: ...

    def interrupt(self, call: Any) -> None: ...


async def call_until_cancelled(running: Interruptible, call: Any) -> Any:
    """A call's result. The call is ended when whoever waits for it is cancelled."""
    return await until_cancelled(running, call, running.call(call))


async def until_cancelled(running: Interruptible, call: Any, result: Awaitable[Any]) -> Any:
    """What is awaited of a call that was begun. The call is ended when the waiting is cancelled."""
    try:
        return await result
    except asyncio.CancelledError:
        running.interrupt(call)
        raise

"""What runs the calls of a module, in whichever way it does."""

from typing import Protocol

from servient.wasm.types import Call, CallResult


class Running(Protocol):
    """See `Instance`."""

    @property
    def generation(self) -> int:
        """How often the state was lost."""
        ...

    async def start(self) -> None: ...

    async def call(self, call: Call) -> CallResult: ...

    async def close(self) -> None: ...

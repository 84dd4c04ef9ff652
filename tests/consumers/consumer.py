"""What a story in the tests asks of a consumer, whatever wire it speaks."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol


class Refused(Exception):
    """The servient answered with a Problem Details object."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.status: int = problem["status"]


class Consumer(Protocol):
    """Reads forms from a TD and interacts through a client library that knows nothing of this project.

    An affordance that the TD lacks is addressed by putting its name in the place of the last path
    segment (or topic level) of a form of the same kind ("properties", "actions", "events").
    `observe` and `subscribe` are active once their block is entered, and yield plain values; the
    iterator ends when the servient ends the subscription.
    """

    async def read(self, name: str) -> Any: ...

    async def write(self, name: str, value: Any) -> None: ...

    async def invoke(self, name: str, value: Any = None) -> Any: ...

    def observe(self, name: str) -> AbstractAsyncContextManager[AsyncIterator[Any]]: ...

    def subscribe(self, name: str) -> AbstractAsyncContextManager[AsyncIterator[Any]]: ...

    async def close(self) -> None: ...

"""What a driver of one wire is, and what it tells of an answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

from hypothesis import strategies as st

from servient.app import App

ANSWER_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A status as HTTP has it, whatever the wire, and words to find the fault by."""

    status: int
    about: str


class Driver(Protocol):
    """Sends cases of its own strategy to a servient; raises TimeoutError when there is no answer."""

    cases: st.SearchStrategy[Any]
    # What is a failure of a function, and none of the servient.
    allowed: frozenset[int]

    def __init__(self, app: App) -> None: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    async def send(self, case: Any) -> Sequence[Answer]: ...


def is_failure(answer: Answer, allowed: frozenset[int]) -> bool:
    return answer.status >= 500 and answer.status not in allowed | {503}

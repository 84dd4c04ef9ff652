"""Who is told of the interactions that come through the door: when they begin, and how they end."""

from collections.abc import Awaitable
from typing import Protocol

from servient.wot.content import Value
from servient.wot.operations import Operation


class Ending(Protocol):
    """Is called once, with the output or the error of an interaction."""

    def __call__(self, output: Value = None, error: BaseException | None = None) -> None: ...


class Witness(Protocol):
    """What it does is done before the interaction goes on: it should take little."""

    def begun(self, operation: Operation, thing: str, affordance: str, value: Value) -> Ending:
        """An interaction with the Thing of this title begins; returns who is told of its end."""


def both(first: Ending, second: Ending) -> Ending:
    def end(output: Value = None, error: BaseException | None = None) -> None:
        first(output, error)
        second(output, error)

    return end


async def witnessed(work: Awaitable[Value], ending: Ending) -> Value:
    """The result of an interaction, whose end is told of."""
    try:
        output = await work
    except BaseException as error:  # one that is cancelled has an end, too
        ending(error=error)
        raise
    ending(output)
    return output

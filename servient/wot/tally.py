"""Who counts invocations: those that are over, and those that were refused."""

from typing import Protocol

from servient.errors import ServientError
from servient.wot.invocation import Invocation


class Tally(Protocol):
    """It is told in the course of every invocation: it should take no more than a microsecond."""

    def ended(self, invocation: Invocation) -> None:
        """An invocation is over, and its record kept."""

    def refused(self, thing: str, action: str, protocol: str, error: ServientError) -> None:
        """An invocation of an action that the Thing has did not begin: its input, or too many."""

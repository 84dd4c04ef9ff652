"""Counts invocations by their affordance, wire and outcome, in less than a microsecond each."""

import time
from collections.abc import Callable, Iterator

from servient.errors import ServientError, problem_name
from servient.telemetry.metrics.histogram import Histogram
from servient.wot.invocation import Invocation

# From a call that runs at once to one at its deadline. Each is a line for each affordance, at which
# Prometheus' library takes its time.
BOUNDS_SECONDS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
COMPLETED = "completed"
# Of affordances; further ones are counted together with those of Things that are gone.
AFFORDANCES_LIMIT = 5000


class AffordanceTally:
    """What is counted of one action: the durations, and how many by protocol and outcome."""

    __slots__ = ("counts", "durations")

    def __init__(self) -> None:
        self.durations = Histogram(BOUNDS_SECONDS)
        self.counts: dict[tuple[str, str], int] = {}

    def add(self, protocol: str, outcome: str) -> None:
        key = protocol, outcome
        self.counts[key] = self.counts.get(key, 0) + 1


class InvocationTally:
    """A `Tally` whose size is bounded: what is counted of a Thing goes with it.

    `is_served` says whether there is a Thing of this name. Invocations that end when theirs is gone
    are counted under no name.
    """

    def __init__(
        self, is_served: Callable[[str], bool], affordances_limit: int = AFFORDANCES_LIMIT
    ) -> None:
        self._is_served = is_served
        self._affordances_limit = affordances_limit
        self._count = 0
        self._things: dict[str, dict[str, AffordanceTally]] = {}
        self._others = AffordanceTally()
        self._outcomes: dict[type[ServientError], str] = {}

    def ended(self, invocation: Invocation) -> None:
        found = self._find(invocation.thing, invocation.action)
        error = invocation.error
        found.add(invocation.protocol, COMPLETED if error is None else self._outcome(error))
        found.durations.observe(time.monotonic() - invocation.opened_at_seconds)

    def refused(self, thing: str, action: str, protocol: str, error: ServientError) -> None:
        self._find(thing, action).add(protocol, self._outcome(error))

    def forget(self, thing: str) -> None:
        """A Thing is gone, and what was counted of it; one that comes under its name begins anew."""
        self._count -= len(self._things.pop(thing, ()))

    def __iter__(self) -> Iterator[tuple[str, str, AffordanceTally]]:
        """By names of Things and actions; both are "" for all that are not told apart."""
        for thing, actions in self._things.items():
            for action, tally in actions.items():
                yield thing, action, tally
        if self._others.counts:
            yield "", "", self._others

    def _find(self, thing: str, action: str) -> AffordanceTally:
        actions = self._things.get(thing)
        found = actions.get(action) if actions is not None else None
        return found if found is not None else self._add(thing, action)

    def _add(self, thing: str, action: str) -> AffordanceTally:
        if self._count >= self._affordances_limit or not self._is_served(thing):
            return self._others
        self._count += 1
        added = self._things.setdefault(thing, {})[action] = AffordanceTally()
        return added

    def _outcome(self, error: ServientError) -> str:
        """The name of its problem type, looked up once for each of the few types there are."""
        kind = type(error)
        found = self._outcomes.get(kind)
        if found is None:
            found = self._outcomes[kind] = problem_name(kind)
        return found

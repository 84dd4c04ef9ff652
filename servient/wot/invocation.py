"""Invocations of actions: one record each, kept once for all bindings."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from servient.errors import Busy, NotFound, ServientError
from servient.wot.content import Content, Value

HISTORY_LIMIT = 1000
RUNNING_LIMIT = 1024

# The id of the invocation that a handler runs for; "" outside of handlers. The id alone: tasks that a
# handler leaves behind keep their context, and must not keep the record with its input.
INVOCATION_ID: ContextVar[str] = ContextVar("invocation_id", default="")


class Status(StrEnum):
    """The states of an ActionStatus object (WoT Profile, section 5.2.2)."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(eq=False, slots=True)
class Invocation:
    """One call of an action, from its request to its output or error.

    `context` is what else the request said, such as headers that are to be passed on, by names in
    lower case; `files` are those that were made, by their names.
    """

    id: str
    thing: str
    action: str
    input: Value
    context: Mapping[str, str] = field(default_factory=dict)
    status: Status = Status.PENDING
    output: Value = None
    error: ServientError | None = None
    files: Mapping[str, Content] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    requested_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended_at: datetime | None = None
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _stop: Callable[[], object] = lambda: None

    @property
    def is_over(self) -> bool:
        return self.ended_at is not None

    @property
    def number(self) -> str:
        """What tells it from the other invocations of its action."""
        return self.id.rpartition(":")[2]

    def on_cancel(self, stop: Callable[[], object]) -> None:
        """Have `stop` called when somebody cancels it."""
        self._stop = stop

    def cancel(self) -> None:
        """Stop it where it is: it ends as failed. One that is over stays as it is."""
        if not self.is_over:
            self._stop()

    def complete(
        self,
        output: Value,
        files: Mapping[str, Content] | None = None,
        notes: Mapping[str, str] | None = None,
    ) -> None:
        self.files, self.notes = files or {}, notes or {}
        self._end(Status.COMPLETED, output, None)

    def fail(self, error: ServientError) -> None:
        # The record outlives the call: it must not keep the call's frames and all that is in them.
        self.notes = error.notes
        error.__traceback__ = error.__cause__ = error.__context__ = None
        self._end(Status.FAILED, None, error)

    def _end(self, status: Status, output: Value, error: ServientError | None) -> None:
        self.status, self.output, self.error = status, output, error
        self.ended_at = datetime.now(UTC)
        self._ended.set()

    async def result(self) -> Value:
        """The output, when it is there. Raises the ServientError that the invocation failed with.

        Whoever stops waiting does not stop the invocation: its outcome is still published.
        """
        await self._ended.wait()
        if self.error is not None:
            raise _again(self.error)
        return self.output


def _again(error: ServientError) -> ServientError:
    """An equal error to raise: each that waits gets its own, with a traceback of its own."""
    copy = type(error).__new__(type(error), *error.args)
    copy.__dict__.update(error.__dict__)
    return copy


class Invocations:
    """The invocations of a servient: those that run, and a bounded history of those that are over."""

    def __init__(
        self, history_limit: int = HISTORY_LIMIT, running_limit: int = RUNNING_LIMIT
    ) -> None:
        self._history_limit = history_limit
        self._running_limit = running_limit
        self._running: dict[str, Invocation] = {}
        self._over: dict[str, Invocation] = {}
        self._count = 0

    @property
    def next_number(self) -> int:
        """The number of the next invocation; every earlier one has a smaller one."""
        return self._count

    def open(
        self, thing: str, action: str, value: Value, context: Mapping[str, str] | None = None
    ) -> Invocation:
        """A new, pending record. Raises Busy when too many are under way."""
        if len(self._running) >= self._running_limit:
            raise Busy(f"{self._running_limit} invocations are under way; try again later")
        invocation_id = f"{thing}:{action}:{self._count}"
        invocation = Invocation(invocation_id, thing, action, value, context or {})
        self._count += 1
        self._running[invocation.id] = invocation
        return invocation

    def close(self, invocation: Invocation) -> None:
        """Move a record that is over to the history, and forget the oldest beyond the limit."""
        del self._running[invocation.id]
        self._over[invocation.id] = invocation
        while len(self._over) > self._history_limit:
            del self._over[next(iter(self._over))]

    def find(self, invocation_id: str) -> Invocation:
        """Raises NotFound."""
        found = self._running.get(invocation_id) or self._over.get(invocation_id)
        if found is None:
            raise NotFound(f"no invocation {invocation_id[:200]!r}")
        return found

    def __iter__(self) -> Iterator[Invocation]:
        """Oldest first: those that are over, then those under way."""
        yield from tuple(self._over.values())
        yield from tuple(self._running.values())

    def __len__(self) -> int:
        return len(self._over) + len(self._running)

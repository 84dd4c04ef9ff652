"""One invocation of an action, and waiting for its outcome."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime

from servient.errors import ServientError
from servient.wot.content import Content, Value
from servient.wot.record import File, Kept, Record, Recorder
from servient.wot.record import Status as Status
from servient.wot.recording import load_files, record_now
from servient.wot.witness import Ending, both

# The id of the invocation that a handler runs for; "" outside of handlers. The id alone: tasks that a
# handler leaves behind keep their context, and must not keep the record with its input.
INVOCATION_ID: ContextVar[str] = ContextVar("invocation_id", default="")
# What asks for an invocation that came over no wire.
PROGRAM = "program"


@dataclass(eq=False, slots=True)
class Invocation:
    """One call of an action, from its request to its output or error.

    `context` is what else the request said, such as headers that are to be passed on, by names in
    lower case; `files` are those that were made, by their names. Once it is over, files may be
    `StoredFile`s, also those in its input and output: `Invocations.load` has what is in them.
    `protocol` is the wire that it came over, `opened_at_seconds` as of `time.monotonic`.
    """

    id: str
    thing: str
    action: str
    input: Value
    context: Mapping[str, str] = field(default_factory=dict)
    status: Status = Status.PENDING
    output: Value = None
    error: ServientError | None = None
    files: Mapping[str, File] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    requested_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended_at: datetime | None = None
    text_bytes: int = 0
    files_bytes: int = 0
    protocol: str = PROGRAM
    opened_at_seconds: float = field(default_factory=time.monotonic)
    _recorder: Recorder | None = None
    _outcome: Record | None = None
    _waiting: list[asyncio.Future[Value]] = field(default_factory=list)
    _stop: Callable[[], object] = lambda: None
    _ending: Ending | None = None

    @property
    def is_over(self) -> bool:
        return self.ended_at is not None

    @property
    def outcome(self) -> Record:
        """What is decided. Raises ValueError when nothing is."""
        if self._outcome is None:
            raise ValueError(f"invocation {self.id} has no outcome yet")
        return self._outcome

    @property
    def is_decided(self) -> bool:
        """Whether its outcome is certain, perhaps not kept yet and so not to be seen."""
        return self._outcome is not None or self.is_over

    @property
    def number(self) -> str:
        """What tells it from the other invocations of its action."""
        return self.id.rpartition(":")[2]

    def on_cancel(self, stop: Callable[[], object]) -> None:
        """Have `stop` called when somebody cancels it."""
        self._stop = stop

    def on_over(self, ending: Ending) -> None:
        """Have `ending` called with its output or its error when it is over, after earlier ones."""
        self._ending = ending if self._ending is None else both(self._ending, ending)

    def cancel(self) -> None:
        """Stop it where it is: it ends as failed. One that is over stays as it is."""
        if not self.is_decided:
            self._stop()

    def complete(
        self,
        output: Value,
        files: Mapping[str, Content] | None = None,
        notes: Mapping[str, str] | None = None,
    ) -> None:
        """Its outcome, which is seen when the record is closed."""
        self._decide(Status.COMPLETED, output, None, files or {}, notes or {})

    def fail(self, error: ServientError) -> None:
        """Its outcome, which is seen when the record is closed."""
        # The record outlives the call: it must not keep the call's frames and all that is in them.
        error.__traceback__ = error.__cause__ = error.__context__ = None
        self._decide(Status.FAILED, None, error, {}, error.notes)

    def _decide(
        self,
        status: Status,
        output: Value,
        error: ServientError | None,
        files: Mapping[str, Content],
        notes: Mapping[str, str],
    ) -> None:
        self._outcome = Record(
            int(self.number),
            self.thing,
            self.action,
            self.input,
            self.context,
            self.requested_at,
            status,
            output,
            error,
            files,
            notes,
            datetime.now(UTC),
        )

    def close(self, kept: Kept) -> None:
        """It is over: who waits gets its outcome, with files as they are in memory still."""
        decided, self._outcome = self._outcome, None
        record, self.text_bytes, self.files_bytes = kept
        self.input, self.output, self.files = record.input, record.output, record.files
        self.status, self.error, self.notes = record.status, record.error, record.notes
        self.ended_at = record.ended_at
        output = decided.output if decided else None
        ending, self._ending = self._ending, None
        if ending is not None:
            ending(output, self.error)
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(output)

    async def result(self) -> Value:
        """The output, when it is there. Raises the ServientError that the invocation failed with.

        Whoever stops waiting does not stop the invocation: its outcome is still published.
        """
        is_late = self.is_over
        output = self.output if is_late else await self._wait()
        if self.error is not None:
            raise _again(self.error)
        return await load_files(output, self._recorder) if is_late else output

    async def _wait(self) -> Value:
        waiter: asyncio.Future[Value] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        return await waiter

    async def recorded(self) -> None:
        """Wait until its id can be given out: what there is of it outlives the process.

        Raises StorageFailed.
        """
        if self._outcome is not None:
            await self._wait()
        elif not self.is_over and self._recorder is not None:
            await record_now(self._recorder, self._to_record())

    def _to_record(self) -> Record:
        return Record(
            int(self.number),
            self.thing,
            self.action,
            self.input,
            self.context,
            self.requested_at,
            Status.RUNNING,
        )


def _again(error: ServientError) -> ServientError:
    """An equal error to raise: each that waits gets its own, with a traceback of its own."""
    copy = type(error).__new__(type(error), *error.args)
    copy.__dict__.update(error.__dict__)
    return copy

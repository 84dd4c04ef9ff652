"""One invocation of an action, and waiting for its outcome."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime

from servient.errors import ServientError
from servient.wot.content import Content, Value
from servient.wot.handler import Later
from servient.wot.record import NOTHING, File, Kept, Record, Recorder
from servient.wot.record import Status as Status
from servient.wot.recording import load_files, record_now
from servient.wot.witness import Ending, both

# The id of the invocation that a handler runs for; "" outside of handlers. The id alone: tasks that a
# handler leaves behind keep their context, and must not keep the record with its input.
INVOCATION_ID: ContextVar[str] = ContextVar("invocation_id", default="")
# What asks for an invocation that came over no wire.
PROGRAM = "program"


class Invocation:
    """One call of an action, from its request to its output or error.

    `context` is what else the request said, such as headers that are to be passed on, by names in
    lower case; `files` are those that were made, by their names. Once it is over, files may be
    `StoredFile`s, also those in its input and output: `Invocations.load` has what is in them.
    `protocol` is the wire that it came over, `opened_at_seconds` as of `time.monotonic`, other times
    as of `time.time`.
    """

    # What most of them never have stands here alone, and takes no time when one is made.
    status = Status.PENDING
    output: Value = None
    error: ServientError | None = None
    files: Mapping[str, File] = NOTHING
    notes: Mapping[str, str] = NOTHING
    ended_at_seconds: float | None = None
    text_bytes = 0
    files_bytes = 0
    _outcome: Record | None = None
    _waiting: tuple[asyncio.Future[Value], ...] = ()
    _stop: Callable[[], object] | None = None
    # Whether its output is in memory, with all that is in it.
    _is_at_hand = False
    _ending: Ending | None = None

    def __init__(
        self,
        number: int,
        thing: str,
        action: str,
        input_value: Value,
        context: Mapping[str, str] | None = None,
        protocol: str = PROGRAM,
        recorder: Recorder | None = None,
    ) -> None:
        self.id = f"{thing}:{action}:{number}"
        self.count = number
        self.thing = thing
        self.action = action
        self.input = input_value
        self.context = context or NOTHING
        self.protocol = protocol
        self.requested_at_seconds = time.time()
        self.opened_at_seconds = time.monotonic()
        self._recorder = recorder

    @classmethod
    def restored(cls, kept: Kept, recorder: Recorder | None) -> "Invocation":
        """One of an earlier life."""
        record = kept.record
        invocation = cls(
            record.number,
            record.thing,
            record.action,
            record.input,
            record.context,
            recorder=recorder,
        )
        invocation.requested_at_seconds = record.requested_at_seconds
        invocation._keep(kept)
        return invocation

    @property
    def requested_at(self) -> datetime:
        return datetime.fromtimestamp(self.requested_at_seconds, UTC)

    @property
    def ended_at(self) -> datetime | None:
        seconds = self.ended_at_seconds
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

    @property
    def is_over(self) -> bool:
        return self.ended_at_seconds is not None

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
        return str(self.count)

    def on_cancel(self, stop: Callable[[], object]) -> None:
        """Have `stop` called when somebody cancels it."""
        self._stop = stop

    def on_over(self, ending: Ending) -> None:
        """Have `ending` called with its output or its error when it is over, after earlier ones.

        Now, if it is.
        """
        if self.is_over:
            ending(self.output, self.error)
        else:
            self._ending = ending if self._ending is None else both(self._ending, ending)

    def cancel(self) -> None:
        """Stop it where it is: it ends as failed. One that is over stays as it is."""
        if not self.is_decided and self._stop is not None:
            self._stop()

    def complete(
        self,
        output: Value,
        files: Mapping[str, Content] = NOTHING,
        notes: Mapping[str, str] = NOTHING,
    ) -> None:
        """Its outcome, which is seen when the record is closed."""
        self._decide(Status.COMPLETED, output, None, files, notes)

    def fail(self, error: ServientError) -> None:
        """Its outcome, which is seen when the record is closed."""
        # The record outlives the call: it must not keep the call's frames and all that is in them.
        error.__traceback__ = error.__cause__ = error.__context__ = None
        self._decide(Status.FAILED, None, error, NOTHING, error.notes)

    def _decide(
        self,
        status: Status,
        output: Value,
        error: ServientError | None,
        files: Mapping[str, Content],
        notes: Mapping[str, str],
    ) -> None:
        self._outcome = Record(
            self.count,
            self.thing,
            self.action,
            self.input,
            self.context,
            self.requested_at_seconds,
            status,
            output,
            error,
            files,
            notes,
            time.time(),
        )

    def close(self, kept: Kept) -> None:
        """It is over: who waits gets its outcome, with files as they are in memory still."""
        decided, self._outcome = self._outcome, None
        output = decided.output if decided else None
        self._keep(kept)
        self._is_at_hand = kept.record is decided
        ending, self._ending = self._ending, None
        if ending is not None:
            ending(output, self.error)
        waiting, self._waiting = self._waiting, ()
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(output)

    def _keep(self, kept: Kept) -> None:
        record, self.text_bytes, self.files_bytes = kept
        self.input, self.output, self.files = record.input, record.output, record.files
        self.status, self.error, self.notes = record.status, record.error, record.notes
        self.ended_at_seconds = record.ended_at_seconds

    async def result(self) -> Value:
        """The output, when it is there. Raises the ServientError that the invocation failed with.

        Whoever stops waiting does not stop the invocation: its outcome is still published.
        """
        is_late = self.is_over
        output = self.output if is_late else await self._wait()
        if self.error is not None:
            raise _again(self.error)
        return await load_files(output, self._recorder) if is_late else output

    def begin_result(self) -> Value | Later:
        """The same, where it takes no waiting; `Later` where it does."""
        if not self._is_at_hand:
            return Later(self.result())
        if self.error is not None:
            raise _again(self.error)
        return self.output

    async def _wait(self) -> Value:
        waiter: asyncio.Future[Value] = asyncio.get_running_loop().create_future()
        self._waiting += (waiter,)
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
            self.count,
            self.thing,
            self.action,
            self.input,
            self.context,
            self.requested_at_seconds,
            Status.RUNNING,
        )


def _again(error: ServientError) -> ServientError:
    """An equal error to raise: each that waits gets its own, with a traceback of its own."""
    copy = type(error).__new__(type(error), *error.args)
    copy.__dict__.update(error.__dict__)
    return copy

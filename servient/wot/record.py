"""What is kept of an invocation, and who keeps it."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeAlias

from servient.errors import ServientError
from servient.wot.content import Content, Value
from servient.wot.stored_file import StoredFile


class Status(StrEnum):
    """The states of an ActionStatus object (WoT Profile, section 5.2.2)."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


File: TypeAlias = Content | StoredFile
FILE_TYPES = (Content, StoredFile)


NOTHING: Mapping[str, Any] = MappingProxyType({})


class Record(NamedTuple):
    """An invocation as it was asked for, and how it ended if it did; times are as of `time.time`.

    In what a recorder gives back, each file in a value is a `StoredFile`.
    """

    number: int
    thing: str
    action: str
    input: Value
    context: Mapping[str, str]
    requested_at_seconds: float
    status: Status
    output: Value = None
    error: ServientError | None = None
    files: Mapping[str, File] = NOTHING
    notes: Mapping[str, str] = NOTHING
    ended_at_seconds: float | None = None


class Kept(NamedTuple):
    """A record that outlives the process, and how much of it there is."""

    record: Record
    text_bytes: int = 0
    files_bytes: int = 0


# Called on the event loop when a record is kept, or when it cannot be, with the reason: at once, or later.
Recorded: TypeAlias = Callable[[Kept | ServientError], None]


class Recorder(Protocol):
    """Keeps records so that they outlive the process. Its errors are StorageFailed."""

    def record(self, record: Record, done: Recorded) -> None:
        """Keep it, instead of an earlier one of its number."""
        ...

    def forget(self, numbers: Iterable[int]) -> None: ...

    async def load(self, file: StoredFile) -> Content: ...

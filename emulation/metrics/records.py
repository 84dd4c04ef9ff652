"""What is measured: one frozen dataclass for each table of a metrics file.

Times are seconds since 1970 (UTC) as a float; every machine of a run is taken to have the same clock.
"""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import ClassVar, TypeAlias


class Side(StrEnum):
    """Where an interaction was measured: by who asked, or by who carried it out."""

    CONSUMED = "consumed"
    EXPOSED = "exposed"


class Change(StrEnum):
    """What became of a subscription."""

    BEGUN = "begun"
    ENDED = "ended"
    FAILED = "failed"


class State(StrEnum):
    """What became of a replica."""

    STARTED = "started"
    READY = "ready"
    CRASHED = "crashed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class InteractionRecord:
    """One interaction: of a consumer from request to answer, of a producer the time of its handler.

    `protocol` is http, coap, websocket or mqtt, and `href` the form's; both are "" where a producer
    does not know. Sizes are those of the encoded input and output. `error` is "" when it succeeded.
    `span` ties a consumer's record to the producer's; `trace` ties together all that one call caused.
    """

    table: ClassVar[str] = "interaction"

    replica: str
    side: Side
    at: float
    seconds: float
    thing: str
    affordance: str
    operation: str
    protocol: str = ""
    href: str = ""
    input_bytes: int = 0
    output_bytes: int = 0
    error: str = ""
    trace: str = ""
    span: str = ""


@dataclass(frozen=True, slots=True)
class SubscriptionRecord:
    """The beginning or the end of a consumer's subscription; `error` is why it broke off."""

    table: ClassVar[str] = "subscription"

    replica: str
    at: float
    change: Change
    thing: str
    affordance: str
    operation: str
    protocol: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One notification that a consumer received: an event, or an observed property's new value.

    By its `digest`, which is "" where there is no data, it is tied to its emission.
    """

    table: ClassVar[str] = "event"

    replica: str
    at: float
    thing: str
    affordance: str
    operation: str
    protocol: str
    data_bytes: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True)
class EmissionRecord:
    """One event, or new value of a property, on the producer's side: whoever receives it."""

    table: ClassVar[str] = "emission"

    replica: str
    at: float
    thing: str
    affordance: str
    operation: str
    digest: str


@dataclass(frozen=True, slots=True)
class TrafficRecord:
    """What a network carried from one replica to another since the record before of the same kind.

    `protocol` is the application's where its port tells (http, coap, websocket, mqtt, catalogue), else
    the transport's. `packets` and `data_bytes` are those that got through, `dropped` those that did
    not; `reason` says why: loss, queue, outage.
    """

    table: ClassVar[str] = "traffic"

    at: float
    network: str
    sender: str
    receiver: str
    protocol: str
    packets: int
    data_bytes: int
    dropped: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """What a replica uses: `cpu` in cores (1.0 is one core busy), memory resident."""

    table: ClassVar[str] = "usage"

    replica: str
    at: float
    cpu: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class HostRecord:
    """How busy the machine is: `cpu` as a share of all cores, `load` of one minute, memory's share.

    `delay_seconds` is how late a timer of the sampler itself was.
    """

    table: ClassVar[str] = "host"

    host: str
    at: float
    cpu: float
    load: float
    memory: float
    delay_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class StateRecord:
    """A change in the life of a replica; `detail` is the error of one that crashed."""

    table: ClassVar[str] = "state"

    replica: str
    at: float
    state: State
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A line that a replica wrote."""

    table: ClassVar[str] = "log"

    replica: str
    at: float
    line: str


@dataclass(frozen=True, slots=True)
class LossRecord:
    """Records that were not kept, since their recorder was full: figures are too low by so many."""

    table: ClassVar[str] = "loss"

    replica: str
    at: float
    records: int


Record: TypeAlias = (
    InteractionRecord
    | SubscriptionRecord
    | EventRecord
    | EmissionRecord
    | TrafficRecord
    | UsageRecord
    | HostRecord
    | StateRecord
    | LogRecord
    | LossRecord
)

RECORDS: tuple[type[Record], ...] = (
    InteractionRecord,
    SubscriptionRecord,
    EventRecord,
    EmissionRecord,
    TrafficRecord,
    UsageRecord,
    HostRecord,
    StateRecord,
    LogRecord,
    LossRecord,
)


def columns(record: type[Record]) -> dict[str, type]:
    """The names and types of what a record says, in order."""
    return {field.name: field.type for field in fields(record) if isinstance(field.type, type)}

"""What a servient emits is recorded, so that what its subscribers receive is tied to it."""

import hashlib
from typing import Any

from emulation.metrics.recorder import Recorder
from emulation.metrics.records import EmissionRecord
from servient.errors import ServientError
from servient.wot.changes import Change
from servient.wot.content import Content, Value, encode
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.subscription import Notification
from servient.wot.thing import ExposedThing

OPERATIONS = {
    AffordanceKind.PROPERTY: Operation.OBSERVE_PROPERTY,
    AffordanceKind.EVENT: Operation.SUBSCRIBE_EVENT,
}
DIGEST_BYTES = 8


def witness_emissions(servient: Any, recorder: Recorder) -> None:
    """Record what the Things of a servient emit, as soon as they are exposed."""

    def watch(change: Change, thing: ExposedThing) -> None:
        if change is Change.CREATED:
            _listen(thing, recorder)

    for thing in servient.enabled_exposed_things:
        _listen(thing, recorder)
    servient.changes.watch(watch)


def _listen(thing: ExposedThing, recorder: Recorder) -> None:
    def record(notification: Notification) -> None:
        recorder.record(
            EmissionRecord(
                recorder.replica,
                notification.time.timestamp(),
                thing.title,
                notification.name,
                OPERATIONS[notification.kind].value,
                digest_of(notification.value),
            )
        )

    thing.publisher.listen(record)


def body_of(value: Value) -> bytes:
    """A value as it is encoded; nothing of none, and of what cannot be."""
    if value is None:
        return b""
    if isinstance(value, Content):
        return value.body
    try:
        return encode(value).body
    except ServientError:
        return b""


def digest_of(value: Value) -> str:
    """What two ends of a subscription know the same value by; "" of none."""
    body = body_of(value)
    return hashlib.blake2b(body, digest_size=DIGEST_BYTES).hexdigest() if body else ""

"""Where the notifications of one Thing go: a topic for each affordance, worked out once."""

from dataclasses import dataclass

from servient.bindings.mqtt.topics import Topics
from servient.errors import NotFound
from servient.wot.description import Affordance, Description
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.thing import ExposedThing


@dataclass(frozen=True, slots=True)
class Channel:
    """A value's messages are retained, an event's are not."""

    topic: str
    is_retained: bool


class Channels:
    """Looked up for each notification, and anew only when the Thing is described otherwise."""

    def __init__(self, topics: Topics, thing: ExposedThing) -> None:
        self._topics = topics
        self._thing = thing
        self._description = thing.description
        self._known: dict[tuple[AffordanceKind, str], Channel | None] = {}

    def find(self, kind: AffordanceKind, name: str) -> Channel | None:
        """None for an affordance that nobody may see, or that the Thing does not have (any more)."""
        description = self._thing.description
        if description is not self._description:
            self._description = description
            self._known.clear()
        key = (kind, name)
        if key not in self._known:
            self._known[key] = self._make(description, kind, name)
        return self._known[key]

    def _make(self, description: Description, kind: AffordanceKind, name: str) -> Channel | None:
        try:
            affordance = description.find(kind, name)
        except NotFound:
            return None
        is_state = kind is AffordanceKind.PROPERTY
        if is_state and not _is_public(affordance):
            return None
        return Channel(self._topics.of(description.name, affordance), is_state)


def _is_public(affordance: Affordance) -> bool:
    """Everybody who may subscribe sees a retained value: only what may be read and observed."""
    return {Operation.OBSERVE_PROPERTY, Operation.READ_PROPERTY} <= affordance.operations

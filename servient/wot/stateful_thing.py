"""The part of an exposed Thing that is its state: the values of its properties, and who hears of them."""

from typing import Any

from wotpy.wot.events import EmittedEvent
from wotpy.wot.exposed.thing import ExposedThing as WotpyExposedThing

from servient.errors import NoValue
from servient.wot.content import Value
from servient.wot.described_thing import DescribedThing
from servient.wot.handler import PROPERTY, Later, begun, called
from servient.wot.model import Thing
from servient.wot.operations import AffordanceKind
from servient.wot.publisher import Publisher

_READ = WotpyExposedThing.HandlerKeys.RETRIEVE_PROPERTY
_WRITE = WotpyExposedThing.HandlerKeys.UPDATE_PROPERTY
_UNSET = object()
_VALUES = WotpyExposedThing.InteractionStateKeys.PROPERTY_VALUES


class StatefulThing(DescribedThing):
    """A Thing with its values and its subscribers.

    WoTPy's own events are made for programs that subscribe to them, where there are any.
    """

    def __init__(self, servient: Any, thing: Thing) -> None:
        super().__init__(servient, thing)
        self._publisher = Publisher(thing.url_name, servient.notification_ids)

    @property
    def publisher(self) -> Publisher:
        return self._publisher

    # Properties

    async def read_property(self, name: str) -> Value:
        """What the read handler returns, else the stored value, else None. Raises NotFound."""
        found = self._property(name)
        handler = self._handlers[_READ].get(found)
        return await called(handler) if handler else self._values.get(found)

    def begin_reading(self, name: str) -> Value | Later:
        """The same for consumers; `Later` where a read handler has to be awaited.

        Raises NotFound, NoValue, and PropertyFailed or a ServientError for what the handler raises.
        """
        found = self._property(name)
        if (handler := self._handlers[_READ].get(found)) is not None:
            return begun(handler, kind=PROPERTY, name=name)
        if (value := self._values.get(found, _UNSET)) is _UNSET:
            raise NoValue(f"property {name!r} has no value yet")
        return value

    def has_value(self, name: str) -> bool:
        """Whether there is something to read: a read handler, or a value once written.

        Raises NotFound.
        """
        found = self._property(name)
        return found in self._values or found in self._handlers[_READ]

    async def write_property(self, name: str, value: Value) -> None:
        """Set a property, read-only ones too: this is the Thing's own side. Raises NotFound."""
        handler = self._handlers[_WRITE].get(self._property(name))
        if handler:
            await called(handler, value)
            self._changed(name, value)
        else:
            self.set_property(name, value)

    def begin_writing(self, name: str, value: Value) -> Later | None:
        """The same; `Later` where a write handler has to be awaited. Raises NotFound."""
        if self._property(name) in self._handlers[_WRITE]:
            return Later(self.write_property(name, value))
        self.set_property(name, value)
        return None

    def set_property(self, name: str, value: Value) -> None:
        """Store a property's value and tell its observers, without asking a write handler.

        Raises NotFound.
        """
        self._values[self._property(name)] = value
        self._changed(name, value)

    def value_of(self, name: str) -> Value:
        """The stored value, or None: what an observer may be told before the first change."""
        return self._get_property_value(self.thing.properties.get(name))

    @property
    def _values(self) -> dict[Any, Value]:
        """WoTPy's store, which programs reach through its default handlers."""
        values: dict[Any, Value] = self._interaction_states[_VALUES]
        return values

    def _property(self, name: str) -> Any:
        self.description.find(AffordanceKind.PROPERTY, name)
        return self._thing.properties[name]

    def _changed(self, name: str, value: Value) -> None:
        if self._events_stream.observers:  # programs; few have any
            self._emit_property_change_event(name, value)
        self._publisher.publish(AffordanceKind.PROPERTY, name, value)

    # Events

    def emit_event(self, event_name: str, payload: Value) -> None:
        """Raises NotFound."""
        self.description.find(AffordanceKind.EVENT, event_name)
        if self._events_stream.observers:
            self._events_stream.on_next(EmittedEvent(name=event_name, init=payload))
        self._publisher.publish(AffordanceKind.EVENT, event_name, payload)

    def _is_heard(self, kind: AffordanceKind, name: str) -> bool:
        """Whether it makes a difference to anybody that something is published."""
        return bool(self._events_stream.observers) or self._publisher.is_heard(kind, name)

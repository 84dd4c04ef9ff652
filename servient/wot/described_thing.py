"""The part of an exposed Thing that is its description, and what programs may change of it."""

from typing import Any

from wotpy.wot.enums import TDChangeMethod
from wotpy.wot.events import ThingDescriptionChangeEmittedEvent, ThingDescriptionChangeEventInit
from wotpy.wot.exposed.thing import ExposedThing as WotpyExposedThing

from servient.wot.content import Value
from servient.wot.description import Description
from servient.wot.interactions import Actions, Events, Properties
from servient.wot.model import Thing
from servient.wot.operations import AffordanceKind
from servient.wot.stream import Stream


class DescribedThing(WotpyExposedThing):
    """WoTPy's ExposedThing with a document of its own and affordances that come and go."""

    def __init__(self, servient: Any, thing: Thing) -> None:
        super().__init__(servient, thing)
        self._events_stream = Stream()

    # Two exposed Things are the same only if they are one object; WoTPy compares by content.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @property
    def description(self) -> Description:
        described: Description = self._thing.described
        return described

    @property
    def name(self) -> str:
        """The Thing's name in paths and topics."""
        name: str = self._thing.described.name
        return name

    @property
    def properties(self) -> Properties:
        return Properties(exposed_thing=self)

    @property
    def actions(self) -> Actions:
        return Actions(exposed_thing=self)

    @property
    def events(self) -> Events:
        return Events(exposed_thing=self)

    def add_property(self, name: str, property_init: Any, value: Value = None) -> None:
        """Raises InvalidInput, and ValueError when there is one of that name."""
        self._add(AffordanceKind.PROPERTY, name, property_init)
        if value is not None:
            self._set_property_value(self.thing.properties[name], value)

    def add_action(self, name: str, action_init: Any, action_handler: Any = None) -> None:
        """Raises InvalidInput, and ValueError when there is one of that name."""
        self._add(AffordanceKind.ACTION, name, action_init)
        if action_handler:
            self.set_action_handler(name, action_handler)

    def add_event(self, name: str, event_init: Any) -> None:
        """Raises InvalidInput, and ValueError when there is one of that name."""
        self._add(AffordanceKind.EVENT, name, event_init)

    def remove_property(self, name: str) -> None:
        self._remove(AffordanceKind.PROPERTY, name)

    def remove_action(self, name: str) -> None:
        self._remove(AffordanceKind.ACTION, name)

    def remove_event(self, name: str) -> None:
        self._remove(AffordanceKind.EVENT, name)

    def _add(self, kind: AffordanceKind, name: str, model: Any) -> None:
        definition = self._thing.add(kind, name, model)
        self._redescribed(kind, TDChangeMethod.ADD, name, definition, self.servient.td(self))

    def _remove(self, kind: AffordanceKind, name: str) -> None:
        interaction = self._thing.remove(kind, name)
        if interaction is not None:
            self._forget(interaction)
            self._redescribed(kind, TDChangeMethod.REMOVE, interaction.name)

    def _forget(self, interaction: Any) -> None:
        """An affordance is gone, and what was kept for it goes too."""
        for held in (*self._handlers.values(), *self._interaction_states.values()):
            held.pop(interaction, None)

    def _redescribed(self, kind: AffordanceKind, method: str, name: str, *members: Any) -> None:
        change = ThingDescriptionChangeEventInit(kind.noun, method, name, *members)
        self._events_stream.on_next(ThingDescriptionChangeEmittedEvent(change))
        self.servient.redescribed(self)

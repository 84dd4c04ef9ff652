"""WoTPy's ExposedThing with state of its own, and outcomes that are published once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wotpy.wot.enums import TDChangeMethod
from wotpy.wot.events import ThingDescriptionChangeEmittedEvent, ThingDescriptionChangeEventInit
from wotpy.wot.exposed.thing import ExposedThing as WotpyExposedThing

from servient.errors import ActionFailed, ServientError, problem
from servient.wot.content import Content, Value, encode
from servient.wot.description import Affordance, Description
from servient.wot.handler import bounded, called
from servient.wot.interactions import Actions, Events, Properties
from servient.wot.invocation import Invocation, Status
from servient.wot.model import Thing
from servient.wot.operations import AffordanceKind
from servient.wot.publisher import Publisher
from servient.wot.stream import Stream


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a handler may return instead of a bare output: more that is to be published with it."""

    output: Value = None
    properties: Mapping[str, Value] = field(default_factory=dict)
    events: Mapping[str, Value] = field(default_factory=dict)


class ExposedThing(WotpyExposedThing):
    """A Thing with its handlers, its values and its subscribers."""

    def __init__(self, servient: Any, thing: Thing) -> None:
        super().__init__(servient, thing)
        self._values: dict[str, Value] = {}
        self._publisher = Publisher(thing.url_name, servient.notification_ids)
        self._events_stream = Stream()

    # Two exposed Things are the same only if they are one object; WoTPy compares by content.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @property
    def description(self) -> Description:
        described: Description = self._thing.description()
        return described

    @property
    def name(self) -> str:
        """The Thing's name in paths and topics."""
        return self.description.name

    @property
    def publisher(self) -> Publisher:
        return self._publisher

    @property
    def properties(self) -> Properties:
        return Properties(exposed_thing=self)

    @property
    def actions(self) -> Actions:
        return Actions(exposed_thing=self)

    @property
    def events(self) -> Events:
        return Events(exposed_thing=self)

    # By name: a title may be another Thing's name.

    def expose(self) -> None:
        """Serve it from now on. Raises ValueError when it is destroyed."""
        self._require_present()
        self.servient.enable_exposed_thing(self.name)

    def destroy(self) -> None:
        """Serve it no more, and forget it. Raises ValueError when it is destroyed already."""
        self._require_present()
        self.servient.remove_exposed_thing(self.name)

    def _require_present(self) -> None:
        if not self.servient.exposed_thing_set.contains(self):
            raise ValueError(f"Thing {self.title!r} is destroyed")

    # Properties

    async def read_property(self, name: str) -> Value:
        """What the read handler returns, else the stored value, else None. Raises NotFound."""
        handler = self._read_handler(name)
        return await called(handler) if handler else self._values.get(name)

    def has_value(self, name: str) -> bool:
        """Whether there is something to read: a read handler, or a value once written.

        Raises NotFound.
        """
        return self._read_handler(name) is not None or name in self._values

    async def write_property(self, name: str, value: Value) -> None:
        """Set a property, read-only ones too: this is the Thing's own side. Raises NotFound."""
        handler = self._handlers[self.HandlerKeys.UPDATE_PROPERTY].get(self._property(name))
        if handler:
            await called(handler, value)
            self._changed(name, value)
        else:
            self.set_property(name, value)

    def set_property(self, name: str, value: Value) -> None:
        """Store a property's value and tell its observers, without asking a write handler.

        Raises NotFound.
        """
        self.description.find(AffordanceKind.PROPERTY, name)
        self._values[name] = value
        self._changed(name, value)

    def value_of(self, name: str) -> Value:
        """The stored value, or None: what an observer may be told before the first change."""
        return self._values.get(name)

    def _read_handler(self, name: str) -> Any:
        return self._handlers[self.HandlerKeys.RETRIEVE_PROPERTY].get(self._property(name))

    def _property(self, name: str) -> Any:
        self.description.find(AffordanceKind.PROPERTY, name)
        return self.thing.properties[name]

    def _changed(self, name: str, value: Value) -> None:
        self._emit_property_change_event(name, value)
        self._publisher.publish(AffordanceKind.PROPERTY, name, value)

    # WoTPy's own store, which programs reach through its default handlers.

    def _set_property_value(self, prop: Any, value: Value) -> None:
        self._values[prop.name] = value

    def _get_property_value(self, prop: Any) -> Value:
        return self._values.get(prop.name)

    # Events

    def emit_event(self, event_name: str, payload: Value) -> None:
        """Raises NotFound."""
        self.description.find(AffordanceKind.EVENT, event_name)
        super().emit_event(event_name, payload)
        self._publisher.publish(AffordanceKind.EVENT, event_name, payload)

    # Actions

    async def invoke_action(self, name: str, input_value: Value = None) -> Value:
        """Run an action and wait for its output. Raises ServientError when it fails."""
        return await self.start_action(name, input_value).result()

    def start_action(self, name: str, input_value: Value = None) -> Invocation:
        """Start an action; its outcome is published whether or not somebody waits for it."""
        affordance = self.description.find(AffordanceKind.ACTION, name)
        handler = self._get_handler(self.HandlerKeys.INVOKE_ACTION, self.thing.actions[name])
        invocation: Invocation = self.servient.invocations.open(self.name, name, input_value)

        def end(_: object) -> None:
            if not invocation.is_over:  # cancelled, perhaps before it began
                error = ActionFailed(f"action {name!r} was cancelled")
                self._fail(invocation, affordance, error)

        work = self._run(invocation, affordance, handler)
        self.servient.run(work, f"invocation {invocation.id}").add_done_callback(end)
        return invocation

    async def _run(self, invocation: Invocation, affordance: Affordance, handler: Any) -> None:
        invocation.status = Status.RUNNING
        name = f"action {invocation.action!r}"
        try:
            returned = await bounded(
                handler,
                invocation.input,
                name=name,
                limit_seconds=self.servient.invocation_deadline_seconds,
                failure=lambda reason: ActionFailed(f"{name} failed: {reason}"),
            )
            outcome = self._checked(returned)
        except ServientError as error:
            self._fail(invocation, affordance, error)
        else:
            self._complete(invocation, affordance, outcome)

    def _checked(self, returned: Any) -> Outcome:
        """Raises ActionFailed for an outcome that cannot be published or sent."""
        outcome = returned if isinstance(returned, Outcome) else Outcome(returned)
        try:
            for name in outcome.properties:
                self.description.find(AffordanceKind.PROPERTY, name)
            for name in outcome.events:
                self.description.find(AffordanceKind.EVENT, name)
            for value in (outcome.output, *outcome.properties.values(), *outcome.events.values()):
                encode(value)
        except ServientError as error:
            raise ActionFailed(f"the outcome cannot be published: {error.detail}") from error
        return outcome

    def _complete(self, invocation: Invocation, affordance: Affordance, outcome: Outcome) -> None:
        """Publish first, answer then: who has the answer finds the result property changed."""
        if outcome.output is not None:
            self._publish(AffordanceKind.PROPERTY, affordance.result_property, outcome.output)
        for name, value in outcome.properties.items():
            self.set_property(name, value)
        for name, value in outcome.events.items():
            self.emit_event(name, value)
        data = _completion(invocation, outcome.output)
        self._publish(AffordanceKind.EVENT, affordance.completed_event, data)
        invocation.complete(outcome.output)
        self.servient.invocations.close(invocation)

    def _fail(self, invocation: Invocation, affordance: Affordance, error: ServientError) -> None:
        self._publish(AffordanceKind.EVENT, affordance.failed_event, problem(error, invocation.id))
        invocation.fail(error)
        self.servient.invocations.close(invocation)

    def _publish(self, kind: AffordanceKind, name: str | None, value: Value) -> None:
        """Publish where an action's definition says, if the Thing has that (still)."""
        if name is None or not self.description.has(kind, name):
            return
        if kind is AffordanceKind.PROPERTY:
            self.set_property(name, value)
        else:
            self.emit_event(name, value)

    # The Thing's own description

    def add_property(self, name: str, property_init: Any, value: Value = None) -> None:
        """Raises InvalidInput, and ValueError when there is one of that name."""
        self._add(AffordanceKind.PROPERTY, name, property_init)
        if value is not None:
            self._values[name] = value

    def add_action(self, name: str, action_init: Any, action_handler: Any = None) -> None:
        """Raises InvalidInput, and ValueError when there is one of that name."""
        self._add(AffordanceKind.ACTION, name, action_init)
        if action_handler:
            self.set_action_handler(name, action_handler)

    def add_event(self, name: str, event_init: Any) -> None:
        """Raises InvalidInput, and ValueError when there is one of that name."""
        self._add(AffordanceKind.EVENT, name, event_init)

    def remove_property(self, name: str) -> None:
        self._values.pop(self._remove(AffordanceKind.PROPERTY, name), None)

    def remove_action(self, name: str) -> None:
        self._remove(AffordanceKind.ACTION, name)

    def remove_event(self, name: str) -> None:
        self._remove(AffordanceKind.EVENT, name)

    def _add(self, kind: AffordanceKind, name: str, model: Any) -> None:
        definition = self._thing.add(kind, name, model)
        self._redescribed(kind, TDChangeMethod.ADD, name, definition, self.servient.td(self))

    def _remove(self, kind: AffordanceKind, name: str) -> str:
        """Remove an affordance, if there is one of this name; returns its exact name."""
        interaction = self._thing.remove(kind, name)
        if interaction is None:
            return name
        for handlers in self._handlers.values():
            handlers.pop(interaction, None)
        self._redescribed(kind, TDChangeMethod.REMOVE, interaction.name)
        exact: str = interaction.name
        return exact

    def _redescribed(self, kind: AffordanceKind, method: str, name: str, *members: Any) -> None:
        change = ThingDescriptionChangeEventInit(kind.noun, method, name, *members)
        self._events_stream.on_next(ThingDescriptionChangeEmittedEvent(change))


def _completion(invocation: Invocation, output: Value) -> dict[str, Value]:
    """The data of a completed event; a file is not repeated in it, the result property has it."""
    data: dict[str, Value] = {"invocation": invocation.id}
    if output is not None and not isinstance(output, Content):
        data["output"] = output
    return data

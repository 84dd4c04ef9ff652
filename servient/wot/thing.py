"""WoTPy's ExposedThing with state of its own, and outcomes that are published once."""

import asyncio
import inspect
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wotpy.wot.exposed.thing import ExposedThing as WotpyExposedThing

from servient.errors import (
    ActionFailed,
    DeadlineExceeded,
    NoValue,
    ServientError,
    problem,
)
from servient.wot.content import Content, Value, encode
from servient.wot.description import Description
from servient.wot.document import without_empties
from servient.wot.invocation import Invocation, Status
from servient.wot.model import Thing
from servient.wot.operations import AffordanceKind
from servient.wot.publisher import Publisher

logger = logging.getLogger(__name__)


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

    # Properties

    async def read_property(self, name: str) -> Value:
        """Raises NotFound, or NoValue when nothing was ever written and there is no handler."""
        handler = self._handlers[self.HandlerKeys.RETRIEVE_PROPERTY].get(self._property(name))
        if handler:
            return await _called(handler)
        if name not in self._values:
            raise NoValue(f"property {name!r} has no value yet")
        return self._values[name]

    async def write_property(self, name: str, value: Value) -> None:
        """Set a property, read-only ones too: this is the Thing's own side. Raises NotFound."""
        handler = self._handlers[self.HandlerKeys.UPDATE_PROPERTY].get(self._property(name))
        if handler:
            await _called(handler, value)
            self._changed(name, value)
        else:
            self.set_property(name, value)

    def set_property(self, name: str, value: Value) -> None:
        """Store a property's value and tell its observers, without asking a write handler."""
        self._values[name] = value
        self._changed(name, value)

    def value_of(self, name: str) -> Value:
        """The stored value, or None: what an observer may be told before the first change."""
        return self._values.get(name)

    def _property(self, name: str) -> Any:
        self.description.find(AffordanceKind.PROPERTY, name)
        return self.thing.properties[name]

    def _changed(self, name: str, value: Value) -> None:
        self._emit_property_change_event(name, value)
        self._publisher.publish(AffordanceKind.PROPERTY, name, value)

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
        self.description.find(AffordanceKind.ACTION, name)
        invocation: Invocation = self.servient.invocations.open(self.name, name, input_value)
        self.servient.run(self._run(invocation), f"invocation {invocation.id}")
        return invocation

    async def _run(self, invocation: Invocation) -> None:
        try:
            outcome = await self._outcome(invocation)
        except asyncio.CancelledError:
            self._fail(invocation, ActionFailed(f"action {invocation.action!r} was cancelled"))
            raise
        except ServientError as error:
            self._fail(invocation, error)
        except Exception as error:  # whatever a program's handler raises is its action's failure
            logger.exception("the handler of %s failed", invocation.id)
            self._fail(invocation, ActionFailed(f"action {invocation.action!r} failed: {error}"))
        else:
            self._complete(invocation, outcome)

    async def _outcome(self, invocation: Invocation) -> Outcome:
        action = self.thing.actions[invocation.action]
        handler = self._get_handler(self.HandlerKeys.INVOKE_ACTION, action)
        invocation.status = Status.RUNNING
        limit: float = self.servient.invocation_deadline_seconds
        try:
            async with asyncio.timeout(limit):
                returned = await _called(handler, invocation.input)
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"action {invocation.action!r} did not end within {limit:g} s"
            ) from error
        outcome = returned if isinstance(returned, Outcome) else Outcome(returned)
        encode(outcome.output)  # an output that cannot be sent is a failure of the action
        return outcome

    def _complete(self, invocation: Invocation, outcome: Outcome) -> None:
        """Publish first, answer then: who has the answer finds the result property changed."""
        affordance = self.description.find(AffordanceKind.ACTION, invocation.action)
        if affordance.result_property and outcome.output is not None:
            self.set_property(affordance.result_property, outcome.output)
        for name, value in outcome.properties.items():
            self.set_property(name, value)
        for name, value in outcome.events.items():
            self.emit_event(name, value)
        if affordance.completed_event:
            self.emit_event(affordance.completed_event, _completion(invocation, outcome.output))
        invocation.complete(outcome.output)
        self.servient.invocations.close(invocation)

    def _fail(self, invocation: Invocation, error: ServientError) -> None:
        affordance = self.description.find(AffordanceKind.ACTION, invocation.action)
        if affordance.failed_event:
            self.emit_event(affordance.failed_event, problem(error, invocation.id))
        invocation.fail(error)
        self.servient.invocations.close(invocation)

    # The Thing's own description

    def add_property(self, name: str, property_init: Any, value: Value = None) -> None:
        super().add_property(name, property_init)
        self._redescribe(AffordanceKind.PROPERTY, name, property_init)
        if value is not None:
            self._values[name] = value

    def add_action(self, name: str, action_init: Any, action_handler: Any = None) -> None:
        super().add_action(name, action_init, action_handler)
        self._redescribe(AffordanceKind.ACTION, name, action_init)

    def add_event(self, name: str, event_init: Any) -> None:
        super().add_event(name, event_init)
        self._redescribe(AffordanceKind.EVENT, name, event_init)

    def remove_property(self, name: str) -> None:
        super().remove_property(name)
        self._values.pop(name, None)
        self._redescribe(AffordanceKind.PROPERTY, name, None)

    def remove_action(self, name: str) -> None:
        super().remove_action(name)
        self._redescribe(AffordanceKind.ACTION, name, None)

    def remove_event(self, name: str) -> None:
        super().remove_event(name)
        self._redescribe(AffordanceKind.EVENT, name, None)

    def _redescribe(self, kind: AffordanceKind, name: str, definition: Any) -> None:
        document = self.description.document
        members = {n: d for n, d in (document.get(kind) or {}).items() if n != name}
        if definition is not None:
            plain = definition if isinstance(definition, dict) else definition.to_dict()
            members[name] = without_empties(plain)
        self._thing.describe({**document, kind.value: members})
        self.servient.forget_td(self)


async def _called(handler: Any, *arguments: Value) -> Any:
    """What a handler returns, whether it is a coroutine function or a plain one."""
    returned = handler(*arguments)
    return await returned if inspect.isawaitable(returned) else returned


def _completion(invocation: Invocation, output: Value) -> dict[str, Value]:
    """The data of a completed event; a file is not repeated in it, the result property has it."""
    data: dict[str, Value] = {"invocation": invocation.id}
    if output is not None and not isinstance(output, Content):
        data["output"] = output
    return data

"""WoTPy's ExposedThing with state of its own, and outcomes that are published once."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from servient.errors import ActionFailed, ServientError, problem
from servient.wot.content import Content, Value, encode
from servient.wot.described_thing import DescribedThing
from servient.wot.description import Affordance
from servient.wot.handler import bounded, called
from servient.wot.invocation import INVOCATION_ID, PROGRAM, Invocation, Status
from servient.wot.model import Thing
from servient.wot.operations import AffordanceKind
from servient.wot.publisher import Publisher


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a handler may return instead of a bare output: more that is to be published with it.

    `files` are all files that were made, by their names, and `notes` are texts, by theirs: both are
    for the invocation's record.
    """

    output: Value = None
    properties: Mapping[str, Value] = field(default_factory=dict)
    events: Mapping[str, Value] = field(default_factory=dict)
    files: Mapping[str, Content] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)


# Gets an outcome when its properties are published; returns notes for the invocation's record.
Follower: TypeAlias = Callable[[Invocation, Outcome], Awaitable[Mapping[str, str]]]


class ExposedThing(DescribedThing):
    """A Thing with its handlers, its values and its subscribers."""

    def __init__(self, servient: Any, thing: Thing) -> None:
        super().__init__(servient, thing)
        self._publisher = Publisher(thing.url_name, servient.notification_ids)
        self._followers: dict[str, Follower] = {}

    @property
    def publisher(self) -> Publisher:
        return self._publisher

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
        found = self._property(name)
        handler = self._handlers[self.HandlerKeys.RETRIEVE_PROPERTY].get(found)
        return await called(handler) if handler else self._get_property_value(found)

    def has_value(self, name: str) -> bool:
        """Whether there is something to read: a read handler, or a value once written.

        Raises NotFound.
        """
        found = self._property(name)
        return found in self._values or found in self._handlers[self.HandlerKeys.RETRIEVE_PROPERTY]

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
        self._set_property_value(self._property(name), value)
        self._changed(name, value)

    def value_of(self, name: str) -> Value:
        """The stored value, or None: what an observer may be told before the first change."""
        return self._get_property_value(self.thing.properties.get(name))

    @property
    def _values(self) -> dict[Any, Value]:
        """WoTPy's store, which programs reach through its default handlers."""
        values: dict[Any, Value] = self._interaction_states[
            self.InteractionStateKeys.PROPERTY_VALUES
        ]
        return values

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

    def set_follower(self, name: str, follower: Follower) -> None:
        """Have an action's outcomes taken further, as the next step of a chain.

        An invocation is over when its follower is done; where that raises a ServientError, the
        invocation has failed. Raises NotFound.
        """
        self.description.find(AffordanceKind.ACTION, name)
        self._followers[name] = follower

    def start_action(
        self,
        name: str,
        input_value: Value = None,
        context: Mapping[str, str] | None = None,
        protocol: str = PROGRAM,
    ) -> Invocation:
        """Start an action; its outcome is published whether or not somebody waits for it.

        `context` is what else the request said, for the invocation's record and its follower;
        `protocol` is the wire that it came over.
        """
        affordance = self.description.find(AffordanceKind.ACTION, name)
        handler = self._get_handler(self.HandlerKeys.INVOKE_ACTION, self.thing.actions[name])
        invocation: Invocation = self.servient.invocations.open(
            self.name, name, input_value, context or {}, protocol
        )

        def end(_: object) -> None:
            if not invocation.is_decided:  # cancelled, perhaps before it began
                error = ActionFailed(f"action {name!r} was cancelled")
                self._fail(invocation, affordance, error)

        work = self._run(invocation, affordance, handler)
        task = self.servient.run(work, f"invocation {invocation.id}")
        task.add_done_callback(end)
        invocation.on_cancel(task.cancel)
        return invocation

    async def _run(self, invocation: Invocation, affordance: Affordance, handler: Any) -> None:
        invocation.status = Status.RUNNING
        INVOCATION_ID.set(invocation.id)  # each runs in a task, and so in a context, of its own
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
            self._publish_properties(affordance, outcome)
            notes = await self._follow(invocation, outcome)
        except ServientError as error:
            self._fail(invocation, affordance, error)
        else:
            self._complete(invocation, affordance, outcome, notes)

    async def _follow(self, invocation: Invocation, outcome: Outcome) -> Mapping[str, str]:
        follower = self._followers.get(invocation.action)
        if follower is None:
            return outcome.notes
        name = f"what follows action {invocation.action!r}"
        try:
            notes: Mapping[str, str] = await bounded(
                follower,
                invocation,
                outcome,
                name=name,
                limit_seconds=self.servient.invocation_deadline_seconds,
                failure=lambda reason: ActionFailed(f"{name} failed: {reason}"),
            )
        except ServientError as error:
            error.notes = {**outcome.notes, **error.notes}
            raise
        return {**outcome.notes, **notes}

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

    def _publish_properties(self, affordance: Affordance, outcome: Outcome) -> None:
        """Publish first, answer then: who has the answer finds the result property changed."""
        if outcome.output is not None:
            self._publish(AffordanceKind.PROPERTY, affordance.result_property, outcome.output)
        for name, value in outcome.properties.items():
            self.set_property(name, value)

    def _complete(
        self,
        invocation: Invocation,
        affordance: Affordance,
        outcome: Outcome,
        notes: Mapping[str, str],
    ) -> None:
        for name, value in outcome.events.items():
            self.emit_event(name, value)
        data = _completion(invocation, outcome.output)
        self._publish(AffordanceKind.EVENT, affordance.completed_event, data)
        invocation.complete(outcome.output, outcome.files, notes)
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


def _completion(invocation: Invocation, output: Value) -> dict[str, Value]:
    """The data of a completed event; a file is not repeated in it, the result property has it."""
    data: dict[str, Value] = {"invocation": invocation.id}
    if output is not None and not isinstance(output, Content):
        data["output"] = output
    return data

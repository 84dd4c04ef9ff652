"""The one door: every interaction of every binding comes through here."""

from collections.abc import Callable, Collection

from servient.errors import (
    InvalidInput,
    NotFound,
    OperationNotAllowed,
    ServientError,
)
from servient.wot.access import acting, scope_of
from servient.wot.codecs import decode
from servient.wot.content import Content, Value, is_json
from servient.wot.description import Affordance
from servient.wot.handler import PROPERTY, Later, finished
from servient.wot.inputs import accept, accept_member
from servient.wot.interaction import Interaction as Interaction
from servient.wot.invocation import PROGRAM, Invocation
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.servient import Servient
from servient.wot.subscription import QUEUE_LIMIT, Subscription
from servient.wot.thing import ExposedThing
from servient.wot.tracer import Tracer, step, tracing
from servient.wot.tracing import NAME, TRACEPARENT
from servient.wot.witness import witnessed

KIND_OF = {
    Operation.READ_PROPERTY: AffordanceKind.PROPERTY,
    Operation.WRITE_PROPERTY: AffordanceKind.PROPERTY,
    Operation.OBSERVE_PROPERTY: AffordanceKind.PROPERTY,
    Operation.INVOKE_ACTION: AffordanceKind.ACTION,
    Operation.SUBSCRIBE_EVENT: AffordanceKind.EVENT,
}

_SUBSCRIBE = frozenset({Operation.OBSERVE_PROPERTY, Operation.SUBSCRIBE_EVENT})
_OF_ALL = {
    Operation.OBSERVE_ALL_PROPERTIES: AffordanceKind.PROPERTY,
    Operation.SUBSCRIBE_ALL_EVENTS: AffordanceKind.EVENT,
}


class Door:
    """Looks up, checks and carries out interactions. Raises ServientError, and nothing else.

    `protocol` is the wire that they come over, for the records of invocations.
    """

    def __init__(self, servient: Servient, protocol: str = PROGRAM) -> None:
        self._servient = servient
        self._protocol = protocol

    async def perform(self, interaction: Interaction) -> Value:
        """Carry out an operation that has an answer; returns its value, None when it has none."""
        found = self.begin(interaction)
        return await found.work if type(found) is Later else found

    def begin(self, interaction: Interaction) -> Value | Later:
        """The same, where it takes no waiting, as most do; `Later` where it does."""
        begin = _BEGIN.get(interaction.operation)
        if begin is None:
            raise OperationNotAllowed(f"{interaction.operation} has no answer to wait for")
        thing, affordance = self._find(interaction)
        return begin(self, thing, affordance, interaction)

    def invoke(self, interaction: Interaction) -> Invocation:
        """Start an action and return its record at once."""
        if interaction.operation is not Operation.INVOKE_ACTION:
            raise OperationNotAllowed(f"{interaction.operation} does not start anything")
        thing, affordance = self._find(interaction)
        return self._start(thing, affordance, interaction)

    def subscribe(self, interaction: Interaction, limit: int = QUEUE_LIMIT) -> Subscription:
        """Observe a property or subscribe to an event, from now until the subscription is closed.

        All properties that can be observed are observed, or all events subscribed to, by an operation
        of the Thing as a whole; its interaction names no affordance.
        `limit` notifications wait for a subscriber that is busy; with 1, it gets the newest alone.
        """
        subscription = self._subscribe(interaction, limit)
        if (principal := acting()) is not None and principal.expires_at is not None:
            subscription.end_after(principal.seconds_left)
        return subscription

    def _subscribe(self, interaction: Interaction, limit: int) -> Subscription:
        kind = _OF_ALL.get(interaction.operation)
        if kind is not None and not interaction.affordance:
            thing = self._allowed(interaction.thing, interaction.operation)
            names = _subscribable(thing, kind)
            return thing.publisher.subscribe(kind, *names, limit=limit, protocol=self._protocol)
        if interaction.operation not in _SUBSCRIBE and kind is None:
            raise OperationNotAllowed(f"{interaction.operation} is no subscription")
        thing, affordance = self._find(interaction)
        return thing.publisher.subscribe(
            affordance.kind, affordance.name, limit=limit, protocol=self._protocol
        )

    def is_json(self, interaction: Interaction) -> bool:
        """Whether what an interaction is about is JSON, and not a file. Raises NotFound."""
        thing = self._servient.exposed(interaction.thing)
        kind = _OF_ALL.get(interaction.operation)
        affordances = [
            affordance
            for affordance in thing.description
            if (affordance.kind is kind or affordance.name == interaction.affordance)
        ]
        return all(is_json(affordance.media_type) for affordance in affordances)

    # The Thing as a whole

    async def read_properties(
        self, thing: str, names: Collection[str] | None = None
    ) -> dict[str, Value]:
        """The values of the properties that are named, or of all that can be read, by their names.

        Of all, those are left out that have no value yet. Raises NotFound, OperationNotAllowed and
        NoValue for one that is named.
        """
        exposed = self._allowed(thing, Operation.READ_ALL_PROPERTIES)
        wanted = list(names) if names is not None else _readable(exposed)
        return {
            name: await self.perform(Interaction(Operation.READ_PROPERTY, thing, name))
            for name in dict.fromkeys(wanted)
        }

    async def write_properties(self, thing: str, values: Value) -> None:
        """Write properties by their names; none is written when one of the values does not fit."""
        exposed = self._allowed(thing, Operation.WRITE_MULTIPLE_PROPERTIES)
        if isinstance(values, Content):
            values = decode(values)
        if not isinstance(values, dict):
            raise InvalidInput("an object of values by the names of properties is wanted")
        written = {}
        for name, value in values.items():
            affordance = exposed.description.require(
                AffordanceKind.PROPERTY, name, Operation.WRITE_PROPERTY
            )
            written[name] = accept_member(affordance, value)
        for name, value in written.items():
            found = self._in_time(exposed.begin_writing(name, value), name)
            if type(found) is Later:
                await found.work

    def cancel(self, thing: str, action: str, number: str) -> None:
        """Stop an invocation of an action. Raises NotFound."""
        exposed = self._allowed(thing, Operation.CANCEL_ACTION)
        self._invocation(exposed, action, number).cancel()

    def invocation(self, thing: str, action: str, number: str) -> Invocation:
        """One invocation of an action, to be queried. Raises NotFound."""
        return self._invocation(self._allowed(thing, Operation.QUERY_ACTION), action, number)

    def _invocation(self, thing: ExposedThing, action: str, number: str) -> Invocation:
        thing.description.find(AffordanceKind.ACTION, action)
        try:
            return self._servient.invocations.find(f"{thing.name}:{action}:{number}")
        except NotFound as error:
            raise NotFound(f"action {action!r} has no invocation {number[:50]!r}") from error

    def invocations(self, thing: str) -> dict[str, list[Invocation]]:
        """The invocations of a Thing's actions by their names, the newest first."""
        exposed = self._allowed(thing, Operation.QUERY_ALL_ACTIONS)
        found: dict[str, list[Invocation]] = {
            affordance.name: []
            for affordance in exposed.description
            if affordance.kind is AffordanceKind.ACTION
        }
        for invocation in reversed(list(self._servient.invocations)):
            if invocation.thing == exposed.name and invocation.action in found:
                found[invocation.action].append(invocation)
        return found

    # What they have in common

    def _find(self, interaction: Interaction) -> tuple[ExposedThing, Affordance]:
        policy, operation = self._servient.policy, interaction.operation
        policy.require_somebody()
        thing = self._servient.exposed(interaction.thing)
        kind = KIND_OF.get(operation)
        if kind is None:
            raise NotFound(f"{operation} is not about one affordance")
        affordance = thing.description.require(kind, interaction.affordance, operation)
        if not policy.is_open:
            policy.require(scope_of(operation, affordance), thing.name)
        return thing, affordance

    def _allowed(self, name: str, operation: Operation) -> ExposedThing:
        """A Thing, for an operation on it as a whole. Raises NotFound, Unauthorized, Forbidden."""
        self._servient.policy.require_somebody()
        thing = self._servient.exposed(name)
        self._servient.policy.require(scope_of(operation), thing.name)
        return thing

    def _read(
        self, thing: ExposedThing, affordance: Affordance, interaction: Interaction
    ) -> Value | Later:
        name = affordance.name
        if self._servient.witness is None:
            return self._in_time(thing.begin_reading(name), name)
        return self._witnessed(thing, affordance, interaction, lambda: thing.begin_reading(name))

    def _write(
        self, thing: ExposedThing, affordance: Affordance, interaction: Interaction
    ) -> Value | Later:
        name, value = affordance.name, accept(affordance.input, interaction.input)
        if self._servient.witness is None:
            return self._in_time(thing.begin_writing(name, value), name)
        return self._witnessed(
            thing, affordance, interaction, lambda: thing.begin_writing(name, value)
        )

    def _in_time(self, found: Value | Later, name: str) -> Value | Later:
        """What a property's handler returned; `Later` that is bounded in time."""
        if type(found) is not Later:
            return found
        limit_seconds = self._servient.invocation_deadline_seconds
        return Later(finished(found, kind=PROPERTY, name=name, limit_seconds=limit_seconds))

    def _invoke(
        self, thing: ExposedThing, affordance: Affordance, interaction: Interaction
    ) -> Value | Later:
        return self._start(thing, affordance, interaction).begin_result()

    def _start(
        self, thing: ExposedThing, affordance: Affordance, interaction: Interaction
    ) -> Invocation:
        try:
            if self._servient.tracer is None:
                value = accept(affordance.input, interaction.input)
                invocation = thing.start_action(
                    affordance.name, value, interaction.context, self._protocol
                )
            else:
                invocation = self._traced(self._servient.tracer, thing, affordance, interaction)
        except ServientError as error:
            self._servient.invocations.refused(thing.name, affordance.name, self._protocol, error)
            raise
        if (witness := self._servient.witness) is not None:
            operation, name = interaction.operation, affordance.name
            invocation.on_over(witness.begun(operation, thing.title, name, interaction.input))
        return invocation

    def _traced(
        self, tracer: Tracer, thing: ExposedThing, affordance: Affordance, interaction: Interaction
    ) -> Invocation:
        """The same, with a span from here until the invocation's record is kept."""
        span = tracer.begin(thing.name, affordance.name, self._protocol, TRACEPARENT.get())
        context = interaction.context
        if NAME in context:  # what the next step of a chain is told
            context = {**context, NAME: span.traceparent}
        try:
            with tracing(span):
                with step(span, "validation"):
                    value = accept(affordance.input, interaction.input)
                invocation = thing.start_action(affordance.name, value, context, self._protocol)
        except BaseException as error:
            span.end(error)
            raise
        span.tell("wot.invocation", invocation.id)
        invocation.on_over(lambda _=None, error=None: span.end(error))
        return invocation

    def _witnessed(
        self,
        thing: ExposedThing,
        affordance: Affordance,
        interaction: Interaction,
        begin: Callable[[], Value | Later],
    ) -> Value | Later:
        witness, name = self._servient.witness, affordance.name
        assert witness is not None  # noqa: S101 - asked before
        ending = witness.begun(interaction.operation, thing.title, name, interaction.input)
        try:
            found = self._in_time(begin(), name)
        except BaseException as error:
            ending(error=error)
            raise
        if type(found) is Later:
            return Later(witnessed(found.work, ending))
        ending(found)
        return found


_Begin = Callable[[Door, ExposedThing, Affordance, Interaction], Value | Later]

_BEGIN: dict[Operation, _Begin] = {
    Operation.READ_PROPERTY: Door._read,
    Operation.WRITE_PROPERTY: Door._write,
    Operation.INVOKE_ACTION: Door._invoke,
}


def _readable(thing: ExposedThing) -> list[str]:
    return [
        affordance.name
        for affordance in thing.description
        if Operation.READ_PROPERTY in affordance.operations and thing.has_value(affordance.name)
    ]


def _subscribable(thing: ExposedThing, kind: AffordanceKind) -> list[str]:
    return [
        affordance.name
        for affordance in thing.description
        if affordance.kind is kind and affordance.operations & _SUBSCRIBE
    ]

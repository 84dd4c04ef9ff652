"""WoTPy's ExposedThing with invocations of its actions, whose outcomes are published once."""

import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeAlias

from wotpy.wot.exposed.thing import ExposedThing as WotpyExposedThing

from servient.errors import ActionFailed, ServientError, problem
from servient.wot.content import Value, require_encodable
from servient.wot.description import Affordance
from servient.wot.handler import ACTION, FOLLOWER, Later, begun, finished
from servient.wot.invocation import INVOCATION_ID, PROGRAM, Invocation, Status
from servient.wot.model import Thing
from servient.wot.operations import AffordanceKind
from servient.wot.outcome import Outcome as Outcome
from servient.wot.outcome import to_completion
from servient.wot.stateful_thing import StatefulThing

logger = logging.getLogger(__name__)

_INVOKE = WotpyExposedThing.HandlerKeys.INVOKE_ACTION

# Gets an outcome when its properties are published; returns notes for the invocation's record.
Follower: TypeAlias = Callable[[Invocation, Outcome], Awaitable[Mapping[str, str]]]


class ExposedThing(StatefulThing):
    """A Thing that can be served."""

    def __init__(self, servient: Any, thing: Thing) -> None:
        super().__init__(servient, thing)
        self._followers: dict[str, Follower] = {}

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

        A handler that is a plain function runs now, and nothing of a task is made for what it returns:
        the invocation may be over already. `context` is what else the request said, for the
        invocation's record and its follower; `protocol` is the wire that it came over.
        """
        affordance = self.description.find(AffordanceKind.ACTION, name)
        handler = self._get_handler(_INVOKE, self._thing.actions[name])
        invocation: Invocation = self._servient.invocations.open(
            self.name, name, input_value, context, protocol
        )
        token = INVOCATION_ID.set(invocation.id)
        try:
            self._begin(invocation, affordance, handler)
        finally:
            INVOCATION_ID.reset(token)
        return invocation

    def _begin(self, invocation: Invocation, affordance: Affordance, handler: Any) -> None:
        try:
            returned = begun(handler, invocation.input, kind=ACTION, name=invocation.action)
        except ServientError as error:
            self._fail(invocation, affordance, error)
            return
        except BaseException:  # such as SystemExit, which ends more than this
            failure = ActionFailed(f"action {invocation.action!r} ended the program")
            self._fail(invocation, affordance, failure)
            raise
        if type(returned) is Later:
            work = self._wait(invocation, affordance, returned)
            self._run(invocation, affordance, work, returned)
        elif (rest := self._take(invocation, affordance, returned)) is not None:
            self._run(invocation, affordance, rest)

    def _run(
        self,
        invocation: Invocation,
        affordance: Affordance,
        work: Coroutine[Any, Any, None],
        awaited: Later | None = None,
    ) -> None:
        """Have the rest of an invocation done in a task, and so in a context, of its own."""

        def end(_: object) -> None:
            if not invocation.is_decided:  # cancelled, perhaps before it began
                error = ActionFailed(f"action {invocation.action!r} was cancelled")
                self._fail(invocation, affordance, error)
            if awaited is not None:
                awaited.close()

        task = self._servient.run(work, f"invocation {invocation.id}")
        task.add_done_callback(end)
        invocation.on_cancel(task.cancel)

    async def _wait(self, invocation: Invocation, affordance: Affordance, later: Later) -> None:
        invocation.status = Status.RUNNING
        try:
            returned = await finished(
                later,
                kind=ACTION,
                name=invocation.action,
                limit_seconds=self._servient.invocation_deadline_seconds,
            )
        except ServientError as error:
            self._fail(invocation, affordance, error)
        else:
            if (rest := self._take(invocation, affordance, returned)) is not None:
                await rest

    def _take(
        self, invocation: Invocation, affordance: Affordance, returned: Any
    ) -> Coroutine[Any, Any, None] | None:
        """Publish what a handler returned: then the invocation is over, but for what follows it."""
        outcome = returned if type(returned) is Outcome else Outcome(returned)
        try:
            self._check(outcome)
            self._publish_properties(affordance, outcome)
        except ServientError as error:
            self._fail(invocation, affordance, error)
            return None
        if (follower := self._followers.get(invocation.action)) is not None:
            return self._follow(invocation, affordance, outcome, follower)
        self._complete(invocation, affordance, outcome, outcome.notes)
        return None

    async def _follow(
        self,
        invocation: Invocation,
        affordance: Affordance,
        outcome: Outcome,
        follower: Follower,
    ) -> None:
        invocation.status = Status.RUNNING
        name = invocation.action
        try:
            later = begun(follower, invocation, outcome, kind=FOLLOWER, name=name)
            limit_seconds = self._servient.invocation_deadline_seconds
            notes = await finished(later, kind=FOLLOWER, name=name, limit_seconds=limit_seconds)
        except ServientError as error:
            error.notes = {**outcome.notes, **error.notes}
            self._fail(invocation, affordance, error)
        else:
            self._complete(invocation, affordance, outcome, {**outcome.notes, **notes})

    def _check(self, outcome: Outcome) -> None:
        """Raises ActionFailed for an outcome that cannot be published or sent."""
        try:
            require_encodable(outcome.output)
            for kind, values in (
                (AffordanceKind.PROPERTY, outcome.properties),
                (AffordanceKind.EVENT, outcome.events),
            ):
                for name, value in values.items():
                    self.description.find(kind, name)
                    require_encodable(value)
        except ServientError as error:
            raise ActionFailed(f"the outcome cannot be published: {error.detail}") from error

    def _publish_properties(self, affordance: Affordance, outcome: Outcome) -> None:
        """Publish first, answer then: who has the answer finds the result property changed."""
        name, output = affordance.result_property, outcome.output
        # A program may have removed it.
        if name and output is not None and self.description.has(AffordanceKind.PROPERTY, name):
            self.set_property(name, output)
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
        self._tell(affordance.completed_event, lambda: to_completion(invocation.id, outcome.output))
        invocation.complete(outcome.output, outcome.files, notes)
        self._servient.invocations.close(invocation)

    def _fail(self, invocation: Invocation, affordance: Affordance, error: ServientError) -> None:
        self._tell(affordance.failed_event, lambda: problem(error, invocation.id))
        invocation.fail(error)
        self._servient.invocations.close(invocation)

    def _tell(self, event: str | None, data: Callable[[], Value]) -> None:
        """Publish where an action's definition says, if the Thing has that event, and listeners."""
        if event is None or not self._is_heard(AffordanceKind.EVENT, event):
            return
        if self.description.has(AffordanceKind.EVENT, event):
            self.emit_event(event, data())

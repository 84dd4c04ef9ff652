"""Chains: what is published as the result of one function goes on to the next endpoint."""

from collections.abc import Mapping

from converters.deployment import Endpoint, Function
from converters.shown_url import shown_url
from servient.deployment.calling import traced_step
from servient.deployment.handover import Handover, hand_over
from servient.deployment.own_steps import OwnSteps
from servient.deployment.place import find_place, passed_on
from servient.deployment.step_answer import step_failed
from servient.deployment.steps import Steps, step_url
from servient.errors import NextStepFailed, ServientError
from servient.journal import Journal
from servient.wot.invocation import Invocation
from servient.wot.thing import Follower, Outcome

STEPS_LIMIT = 64


class Chains:
    """Makes the followers of functions whose results go on.

    A step on this very servient is called without the network; any other goes by `steps`.
    """

    def __init__(self, own_steps: OwnSteps, steps: Steps, journal: Journal) -> None:
        self._own_steps = own_steps
        self._steps = steps
        self._journal = journal

    def follower(self, function: Function) -> Follower | None:
        """What follows a function's action; None where nothing does."""
        if function.next is None and not any(function.steps.values()):
            return None

        async def follow(invocation: Invocation, outcome: Outcome) -> Mapping[str, str]:
            try:
                return await self._follow(function, invocation, outcome)
            except ServientError:
                self._journal.failed(invocation.thing, invocation.id, function.name)
                raise

        return follow

    async def _follow(
        self, function: Function, invocation: Invocation, outcome: Outcome
    ) -> Mapping[str, str]:
        """Take the next step. The link to its result is this one's: a caller follows it."""
        place = find_place(function, invocation.context)
        if place.next is None:
            return {}
        url = step_url(place.next)
        if place.number + 1 >= STEPS_LIMIT:
            reason = (
                f"a chain has at most {STEPS_LIMIT} steps; does one lead back to an earlier one?"
            )
            raise step_failed(url, reason)
        own_url = function.endpoint.url if function.endpoint else ""
        own = self._own_steps.find(url, own_url)
        endpoint = own.narrowed(place.next) if own else place.next
        handover = _handed_over(url, outcome, endpoint)
        context = passed_on(invocation.context, place)
        names = (invocation.thing, invocation.id, function.name)
        self._journal.sub_call(*names, shown_url(url))
        with traced_step(url, context) as headers:
            if own is None:
                result_url = await self._steps.call(url, endpoint, handover, headers)
            else:
                result_url = await self._own_steps.call(own, endpoint, handover, headers)
        if self._own_steps.is_entry(result_url, invocation, own_url):
            # Callers follow such a link without a pause.
            raise step_failed(url, "its resultUrl leads back to the step before it")
        self._journal.result_url(*names, result_url)
        return {"resultUrl": result_url}


def _handed_over(url: str, outcome: Outcome, endpoint: Endpoint) -> Handover:
    try:
        return hand_over(outcome, endpoint)
    except NextStepFailed as error:
        raise step_failed(url, error.detail) from error

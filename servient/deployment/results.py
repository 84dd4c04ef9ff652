"""The results that deployed functions had when the servient ended."""

import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType

from servient.errors import ServientError
from servient.wot.content import Content
from servient.wot.invocation import Invocation, Status
from servient.wot.operations import AffordanceKind
from servient.wot.servient import Servient

logger = logging.getLogger(__name__)


async def restore_results(servient: Servient, first_invocations: Mapping[str, int]) -> None:
    """Give result properties the output of each action's newest invocation, and others its files.

    `first_invocations` has the Things of deployments by name, each with the number of the first
    invocation that can be its own: earlier ones are of another deployment of that id.
    """
    newest: dict[tuple[str, str], Invocation] = {}
    for invocation in servient.invocations.results():
        first = first_invocations.get(invocation.thing)
        is_own = first is not None and int(invocation.number) >= first
        if is_own and invocation.status is Status.COMPLETED:
            newest[invocation.thing, invocation.action] = invocation
    for invocation in newest.values():
        try:
            await _restore(servient, invocation)
        except ServientError as error:
            logger.warning("the result of %s is lost: %s", invocation.id, error.detail)


def forget_results(
    servient: Servient,
    is_gone: Callable[[str], bool],
    first_invocations: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Keep no longer than the history what is of deployments that are gone, by their ids."""

    def is_of_it(each: Invocation) -> bool:
        first = first_invocations.get(each.thing)
        if first is not None:
            return each.count < first
        return is_gone(each.thing.partition(":")[0])

    servient.invocations.forget_results(is_of_it)


async def _restore(servient: Servient, invocation: Invocation) -> None:
    thing = servient.exposed(invocation.thing)
    action = thing.description.find(AffordanceKind.ACTION, invocation.action)
    if action.result_property is not None and invocation.output is not None:
        thing.set_property(action.result_property, await invocation.result())
    for name in action.file_properties:
        written = thing.description.find(AffordanceKind.PROPERTY, name)
        if (file := invocation.files.get(written.file or "")) is not None:
            content = await servient.invocations.load(file)
            thing.set_property(name, Content(content.body, written.media_type))

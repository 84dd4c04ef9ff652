"""What follows an action: it gets the published outcome, and decides how the invocation ends."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from servient.errors import ActionFailed, NotFound
from servient.wot.content import Content
from servient.wot.door import Door, Interaction
from servient.wot.invocation import Invocation, Status
from servient.wot.operations import Operation
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing, Outcome
from tests.wot.documents import worker
from tests.wot.listening import Heard

Expose = Callable[..., ExposedThing]


async def test_a_follower_gets_the_outcome_and_the_request_s_context(
    expose: Expose, servient: Servient
) -> None:
    file = Content(b"...", "image/png")
    outcome = Outcome(2, files={"a.png": file}, notes={"stdout": "hello"})
    thing = expose(worker(), work=lambda _: outcome)
    met: list[tuple[Invocation, Outcome]] = []

    async def follow(invocation: Invocation, outcome: Outcome) -> Mapping[str, str]:
        met.append((invocation, outcome))
        assert thing.value_of("work_result") == 2
        assert not invocation.is_over
        return {"resultUrl": "http://next"}

    thing.set_follower("work", follow)
    context = {"x-chain-step": "1"}
    wanted = Interaction(Operation.INVOKE_ACTION, thing.name, "work", 1, context)
    invocation = Door(servient).invoke(wanted)
    assert await invocation.result() == 2
    assert met == [(invocation, outcome)]
    assert invocation.context == context
    assert invocation.files == {"a.png": file}
    assert invocation.notes == {"stdout": "hello", "resultUrl": "http://next"}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (ActionFailed("the next step is away"), "the next step is away"),
        (RuntimeError("oops"), "what follows action 'work' failed: oops"),
    ],
)
async def test_an_invocation_fails_with_its_follower(
    expose: Expose, fault: Exception, reason: str
) -> None:
    thing = expose(worker(), work=lambda _: Outcome(2, notes={"stdout": "hello"}))
    heard = Heard(thing)

    async def follow(*_: Any) -> Mapping[str, str]:
        raise fault

    thing.set_follower("work", follow)
    invocation = thing.start_action("work", 1)
    with pytest.raises(ActionFailed, match=reason):
        await invocation.result()
    assert invocation.status is Status.FAILED
    assert invocation.notes == {"stdout": "hello"}
    assert [name for name, _ in heard.all()] == ["work_result", "work_failed"]


async def test_only_an_action_is_followed(expose: Expose) -> None:
    async def follow(*_: Any) -> Mapping[str, str]:
        return {}

    with pytest.raises(NotFound):
        expose(worker()).set_follower("rest", follow)

"""Who may do what, asked for at the door whatever is wanted."""

import asyncio
from collections.abc import Callable

import pytest

from servient.errors import Forbidden, NotFound, Unauthorized
from servient.wot.access import Grant, Policy, Principal, Scope, acting, acting_as
from servient.wot.door import Door, Interaction
from servient.wot.operations import Operation
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing
from tests.wot.documents import td

Expose = Callable[..., ExposedThing]


def principal(*scopes: Scope, things: str = "*") -> Principal:
    return Principal("ann", (Grant(frozenset(scopes), things),))


READER, CALLER = principal(Scope.READ), principal(Scope.INVOKE)
DEPLOYER, ADMIN = principal(Scope.DEPLOY), principal(Scope.ADMIN)
ELSEWHERE = principal(Scope.ADMIN, things="other*")


@pytest.fixture
def door(servient: Servient, expose: Expose) -> Door:
    thing = expose(
        td(
            properties={"level": {"type": "integer", "observable": True}},
            actions={"work": {}, "install": {"wasm:scope": "deploy"}},
            events={"rang": {}},
        ),
        "lamp",
        work=lambda _: 1,
        install=lambda _: 2,
    )
    thing.set_property("level", 3)
    servient.policy = Policy(is_open=False)
    return Door(servient)


async def ask(door: Door, operation: Operation, name: str, thing: str = "lamp") -> None:
    """Do what an operation is, on an affordance, or on the whole Thing where none is named."""
    match operation:
        case Operation.OBSERVE_PROPERTY | Operation.SUBSCRIBE_EVENT:
            door.subscribe(Interaction(operation, thing, name)).close()
        case Operation.OBSERVE_ALL_PROPERTIES | Operation.SUBSCRIBE_ALL_EVENTS:
            door.subscribe(Interaction(operation, thing, "")).close()
        case Operation.READ_ALL_PROPERTIES:
            await door.read_properties(thing)
        case Operation.WRITE_MULTIPLE_PROPERTIES:
            await door.write_properties(thing, {"level": 4})
        case Operation.QUERY_ALL_ACTIONS:
            door.invocations(thing)
        case Operation.QUERY_ACTION:
            door.invocation(thing, name, "99")
        case Operation.CANCEL_ACTION:
            door.cancel(thing, name, "99")
        case _:
            value = 4 if operation is Operation.WRITE_PROPERTY else None
            await door.perform(Interaction(operation, thing, name, value))


READING = [
    (Operation.READ_PROPERTY, "level"),
    (Operation.OBSERVE_PROPERTY, "level"),
    (Operation.SUBSCRIBE_EVENT, "rang"),
    (Operation.OBSERVE_ALL_PROPERTIES, ""),
    (Operation.SUBSCRIBE_ALL_EVENTS, ""),
    (Operation.READ_ALL_PROPERTIES, ""),
    (Operation.QUERY_ALL_ACTIONS, ""),
]
INVOKING = [
    (Operation.WRITE_PROPERTY, "level"),
    (Operation.WRITE_MULTIPLE_PROPERTIES, ""),
    (Operation.INVOKE_ACTION, "work"),
]
DEPLOYING = [(Operation.INVOKE_ACTION, "install")]
ALL = READING + INVOKING + DEPLOYING


@pytest.mark.parametrize(("operation", "name"), ALL)
async def test_only_who_may_does(door: Door, operation: Operation, name: str) -> None:
    allowed = {
        id(READER): (operation, name) in READING,
        id(CALLER): (operation, name) in INVOKING,
        id(DEPLOYER): (operation, name) in DEPLOYING,
        id(ADMIN): True,
        id(ELSEWHERE): False,
    }
    for who in (READER, CALLER, DEPLOYER, ADMIN, ELSEWHERE):
        with acting_as(who):
            if allowed[id(who)]:
                await ask(door, operation, name)
            else:
                with pytest.raises(Forbidden, match="ann"):
                    await ask(door, operation, name)


@pytest.mark.parametrize(("operation", "name"), ALL)
@pytest.mark.parametrize("thing", ["lamp", "none"])
async def test_strangers_do_not_learn_what_there_is(
    door: Door, operation: Operation, name: str, thing: str
) -> None:
    with pytest.raises(Unauthorized):
        await ask(door, operation, name, thing)


async def test_invocations_are_asked_after_and_cancelled_by_who_may(door: Door) -> None:
    for operation, who in ((Operation.QUERY_ACTION, READER), (Operation.CANCEL_ACTION, CALLER)):
        with acting_as(who), pytest.raises(NotFound):
            await ask(door, operation, "work")
    with acting_as(READER), pytest.raises(Forbidden):
        await ask(door, Operation.CANCEL_ACTION, "work")
    with pytest.raises(Unauthorized):
        await ask(door, Operation.CANCEL_ACTION, "work")


async def test_who_acts_is_known_within_a_block_and_what_begins_in_it() -> None:
    async def who() -> Principal | None:
        return acting()

    with acting_as(READER):
        task = asyncio.create_task(who())
        with acting_as(None):
            assert acting() is None
    assert acting() is None
    assert await task is READER

"""Whatever comes in through the door, a value or a ServientError comes out, and nothing is left."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servient.errors import InvalidInput, ServientError, problem
from servient.wot.content import Content, encode, to_json, to_plain
from servient.wot.door import Door, Interaction
from servient.wot.entry import WoT
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing
from tests.wot.documents import action, td
from tests.wot.test_content import JSON
from tests.wot.test_schema import SCHEMAS

T = TypeVar("T")
NAMES = [f"n{number}" for number in range(len(SCHEMAS))]
DOCUMENT = td(
    "Hostile",
    properties={
        **{n: {**s, "observable": True} for n, s in zip(NAMES, SCHEMAS, strict=True)},
        "n0_result": {"readOnly": True, "observable": True},
        "odd": {},
    },
    actions={
        **{n: action("n0", input=s) for n, s in zip(NAMES, SCHEMAS, strict=True)},
        "bare": action("n0"),
    },
    events={"n0_completed": {}, "n0_failed": {}},
)

# Bytes that are nearly JSON, and media types that are nearly some.
NEARLY_JSON = st.builds(
    lambda text, at, byte: text[:at] + byte + text[at:],
    JSON.map(to_json),
    st.integers(0, 50),
    st.binary(max_size=3),
)
MEDIA_TYPES = st.sampled_from(
    [
        "application/json",
        "image/png",
        "application/x+json",
        "text/plain",
        "",
        ";",
        "image/*",
        "\x00",
    ]
)
CONTENTS = st.builds(Content, NEARLY_JSON | st.binary() | JSON.map(to_json), MEDIA_TYPES)
WITH_FILES = st.dictionaries(st.sampled_from(["image", "title", "x"]), CONTENTS | JSON)
INPUTS = JSON | CONTENTS | WITH_FILES | st.lists(CONTENTS, max_size=2)


class World:
    """A servient with one Thing, on a loop that lives as long as the examples of one test."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self.servient = Servient()
        self.door = Door(self.servient)
        self.run(self.servient.start())
        self.thing: ExposedThing = WoT(self.servient).produce(DOCUMENT, "hostile")
        for name in (*NAMES, "bare"):
            self.thing.set_action_handler(name, lambda value: value)
        self.thing.set_property_read_handler("odd", lambda: float("nan"))
        self.thing.expose()

    def run(self, work: Awaitable[T]) -> T:
        async def bounded() -> T:
            async with asyncio.timeout(20):
                return await work

        return self._runner.run(bounded())

    def close(self) -> None:
        self.run(self.servient.shutdown())
        self._runner.close()


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


def outcome(world: World, act: Callable[[], Awaitable[Any]]) -> Any:
    """The value that comes out; of an error, its problem, which must be fit for every wire."""
    try:
        return world.run(act())
    except ServientError as error:
        body = problem(error, "/things/hostile")
        assert len(to_json(body)) < 8_000
        return body


@settings(max_examples=300, deadline=None)
@given(
    operation=st.sampled_from(Operation),
    thing=st.just("hostile") | st.text(),
    name=st.sampled_from([*NAMES, "bare", "odd"]) | st.text(),
    value=INPUTS,
)
def test_any_interaction_gives_a_value_or_an_error(
    world: World, operation: Operation, thing: str, name: str, value: Any
) -> None:
    interaction = Interaction(operation, thing, name, value)
    outcome(world, lambda: world.door.perform(interaction))
    assert not world.servient.invocations._running
    assert not world.servient._tasks
    with contextlib.suppress(ServientError):
        world.door.subscribe(interaction).close()
    assert not world.thing.publisher._listeners


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(value=INPUTS)
def test_what_is_accepted_can_be_answered_and_published(
    world: World, name: str, value: Any
) -> None:
    """An action that gives back what it got: what passes the schema passes everything after it."""

    async def story() -> None:
        subscription = world.thing.publisher.subscribe(AffordanceKind.PROPERTY, "n0_result")
        async with subscription:
            invoke = Interaction(Operation.INVOKE_ACTION, "hostile", name, value)
            try:
                output = await world.door.perform(invoke)
            except ServientError as error:
                # What the door lets in, JSON has words for: the handler never fails with it.
                assert isinstance(error, InvalidInput) or error.status in (413, 415)
                return
            encode(output)
            if output is None:
                return
            assert (await anext(subscription)).value == output
            read = Interaction(Operation.READ_PROPERTY, "hostile", "n0_result")
            assert to_plain(await world.door.perform(read)) == to_plain(output)

    world.run(story())


@settings(max_examples=60, deadline=None)
@given(value=INPUTS, name=st.sampled_from(NAMES))
def test_what_is_written_is_what_is_read(world: World, name: str, value: Any) -> None:
    async def story() -> None:
        before = world.thing.value_of(name)
        try:
            await world.door.perform(Interaction(Operation.WRITE_PROPERTY, "hostile", name, value))
        except ServientError:
            assert world.thing.value_of(name) is before
        else:
            read = Interaction(Operation.READ_PROPERTY, "hostile", name)
            assert encode(await world.door.perform(read))

    world.run(story())

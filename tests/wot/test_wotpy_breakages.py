"""What breaks in WoTPy does not break here."""

import itertools
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from wotpy.wot.interaction import Action

from servient.errors import Conflict, InvalidInput, NotFound, OperationNotAllowed
from servient.wot.door import Door, Interaction
from servient.wot.entry import WoT
from servient.wot.model import Thing
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing
from tests.wot.documents import td, worker
from tests.wot.lines import LineBinding

LEVEL = {"properties": {"level": {"type": "integer", "observable": True}}}


@pytest.fixture
def lines() -> LineBinding:
    return LineBinding()


@pytest.fixture
async def servient(lines: LineBinding) -> AsyncIterator[Servient]:
    running = Servient()
    running.add_server(lines)
    await running.start()
    lines.calls.clear()
    yield running
    await running.shutdown()


class Unrebuildable(Thing):
    """A Thing whose document WoTPy must not build anew."""

    @property
    def thing_fragment(self) -> Any:
        raise AssertionError("the description was rebuilt")


async def test_nothing_on_the_way_of_a_thing_rebuilds_its_description(
    servient: Servient, door: Door
) -> None:
    model = Unrebuildable(worker(input={"type": "integer"}), "worker")
    thing = ExposedThing(servient, model)
    servient.add_exposed_thing(thing)
    thing.set_action_handler("work", lambda number: number + 1)
    thing.expose()
    assert (thing.title, thing.id, thing.url_name, str(thing)) == (
        "Worker",
        None,
        "worker",
        "<ExposedThing> None",
    )
    assert await door.perform(Interaction(Operation.INVOKE_ACTION, "worker", "work", 1)) == 2
    assert await door.perform(Interaction(Operation.READ_PROPERTY, "Worker", "work_result")) == 2
    assert servient.td(thing)["title"] == "Worker"
    thing.destroy()


async def test_exposing_and_destroying_touch_one_thing(
    servient: Servient, wot: WoT, lines: LineBinding
) -> None:
    things = [wot.produce(td(f"Lamp {i}", **LEVEL)) for i in range(50)]
    for thing in things:
        thing.expose()
    assert lines.calls == [("add", f"lamp-{i}") for i in range(50)]
    lines.calls.clear()
    servient.td(things[7])
    servient.td(things[7])
    assert lines.calls == [("forms", "lamp-7")]
    lines.calls.clear()
    things[7].expose()
    assert not lines.calls
    things[7].destroy()
    assert lines.calls == [("remove", "lamp-7")]
    assert len(list(servient.enabled_exposed_things)) == 49


async def test_things_that_look_the_same_in_a_path_are_told_apart(
    servient: Servient, wot: WoT, door: Door
) -> None:
    titles = ["Lamp 1", "lamp-1", "LAMP 1!", "lamp_1"]
    things = [wot.produce(td(title, **LEVEL)) for title in titles]
    names = [thing.name for thing in things]
    assert names == ["lamp-1", "lamp-1-2", "lamp-1-3", "lamp-1-4"]
    for number, thing in enumerate(things):
        thing.set_property("level", number)
        thing.expose()
    things[0].destroy()
    assert [thing.name for thing in servient.enabled_exposed_things] == names[1:]
    for number, name in itertools.islice(enumerate(names), 1, None):
        read = Interaction(Operation.READ_PROPERTY, name, "level")
        assert await door.perform(read) == number
    with pytest.raises(NotFound):
        await door.perform(Interaction(Operation.READ_PROPERTY, "Lamp 1", "level"))


@pytest.mark.parametrize("title", ["🤖", "!!!", "   "])
async def test_a_title_without_letters_makes_a_name(wot: WoT, title: str) -> None:
    first, second = wot.produce(td(title)), wot.produce(td(f"{title}{title}"))
    assert (first.name, second.name) == ("thing", "thing-2")


async def test_the_name_of_one_may_be_the_title_of_another(servient: Servient, wot: WoT) -> None:
    titled = wot.produce(td("lamp", **LEVEL), "a")
    named = wot.produce(td("Other", **LEVEL), "lamp")
    titled.expose()
    assert [thing.name for thing in servient.enabled_exposed_things] == ["a"]
    named.expose()
    titled.destroy()
    assert servient.exposed("lamp") is named
    assert list(servient.exposed_things) == [named]
    named.destroy()
    assert not list(servient.exposed_things)


async def test_whoever_is_destroyed_does_not_destroy_its_successor(
    servient: Servient, wot: WoT
) -> None:
    first = wot.produce(td("Lamp", **LEVEL))
    first.expose()
    first.destroy()
    second = wot.produce(td("Lamp", **LEVEL))
    for act in (first.destroy, first.expose):
        with pytest.raises(ValueError, match="destroyed"):
            act()
    assert list(servient.exposed_things) == [second]
    assert not list(servient.enabled_exposed_things)


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"title": "Lamp"}, "other"),
        ({"title": "Other", "id": "urn:lamp"}, "other"),
        ({"title": "urn:lamp"}, "other"),
        ({"title": "Other"}, "lamp"),
    ],
    ids=["title", "id", "a title that is an id", "name"],
)
async def test_a_second_thing_of_that_kind_is_refused_and_leaves_nothing(
    servient: Servient, wot: WoT, members: dict[str, str], name: str
) -> None:
    first = wot.produce(td("Lamp", id="urn:lamp"), "lamp")
    with pytest.raises(Conflict, match="already"):
        wot.produce({**td(), **members}, name)
    assert list(servient.exposed_things) == [first]
    first.destroy()
    assert wot.produce({**td(), **members}, name).name == name


async def test_a_second_identity_given_later_leaves_nothing_behind(
    servient: Servient, wot: WoT
) -> None:
    thing = wot.produce(td("Lamp", id="urn:first"))
    thing.expose()
    thing.id = "urn:second"
    assert (thing.id, servient.td(thing)["id"]) == ("urn:second", "urn:second")
    thing.destroy()
    wot.produce(td("Lamp", id="urn:first"))


async def test_what_a_program_says_about_its_thing_later_is_served(
    servient: Servient, wot: WoT
) -> None:
    thing = wot.produce(td("Lamp", **LEVEL, support="mailto:a@example.org"))
    before = servient.td(thing)
    thing.support = "mailto:b@example.org"
    after = servient.td(thing)
    assert (before["support"], after["support"]) == (
        "mailto:a@example.org",
        "mailto:b@example.org",
    )
    assert thing.support == "mailto:b@example.org"
    with pytest.raises(AttributeError):
        thing.title = "Other"
    with pytest.raises(InvalidInput):
        thing.base = 5


async def test_a_property_an_action_and_an_event_may_share_a_name(
    wot: WoT, door: Door, expose: Callable[..., ExposedThing]
) -> None:
    document = td(
        properties={"state": {"type": "string", "observable": True}},
        actions={"state": {}},
        events={"state": {"data": {"type": "integer"}}},
    )
    thing = expose(document, state=lambda _: "acted")
    thing.set_property("state", "read")
    assert await door.perform(Interaction(Operation.READ_PROPERTY, "thing", "state")) == "read"
    assert await door.perform(Interaction(Operation.INVOKE_ACTION, "thing", "state")) == "acted"
    thing.remove_property("state")
    assert await door.perform(Interaction(Operation.INVOKE_ACTION, "thing", "state")) == "acted"
    door.subscribe(Interaction(Operation.SUBSCRIBE_EVENT, "thing", "state")).close()
    with pytest.raises(NotFound, match="property 'state'"):
        await door.perform(Interaction(Operation.READ_PROPERTY, "thing", "state"))


async def test_names_that_look_the_same_in_a_path_are_told_apart(
    door: Door, expose: Callable[..., ExposedThing]
) -> None:
    names = ["temp_c", "temp-c", "Temp-C"]
    thing = expose(td(properties={name: {"type": "string"} for name in names}))
    for name in names:
        await thing.properties[name].write(name)
    for name in names:
        assert await thing.properties[name].read() == name
        assert await door.perform(Interaction(Operation.READ_PROPERTY, "thing", name)) == name
    assert await thing.properties["TEMP C"].read() == "temp_c"
    assert thing.thing.find_interaction("Temp-C").name == "Temp-C"
    thing.remove_property("temp-c")
    assert list(thing.properties) == ["temp_c", "Temp-C"]
    with pytest.raises(NotFound):
        await door.perform(Interaction(Operation.READ_PROPERTY, "thing", "temp c"))


async def test_a_name_in_its_safe_version_is_removed_as_wotpy_removes_it(
    expose: Callable[..., ExposedThing],
) -> None:
    thing = expose(td(properties={"Temp_C": {"type": "integer"}}))
    thing.set_property("Temp_C", 3)
    thing.remove_property("temp-c")
    thing.remove_property("temp-c")
    assert not thing.description.has(AffordanceKind.PROPERTY, "Temp_C")
    thing.add_property("Temp_C", {"type": "integer"})
    assert await thing.read_property("Temp_C") is None


async def test_a_read_only_property_answers_a_write(
    door: Door, expose: Callable[..., ExposedThing]
) -> None:
    thing = expose(td(properties={"serial": {"type": "string", "readOnly": True}}))
    thing.set_property("serial", "4711")
    with pytest.raises(OperationNotAllowed, match="serial"):
        await door.perform(Interaction(Operation.WRITE_PROPERTY, "thing", "serial", "1"))
    assert await thing.read_property("serial") == "4711"


async def test_removed_affordances_leave_no_handlers(expose: Callable[..., ExposedThing]) -> None:
    thing = expose(td())
    for _ in range(20):
        thing.add_action("work", {}, print)
        thing.add_property("level", {"type": "integer"}, value=1)
        thing.set_property_read_handler("level", print)
        thing.set_property_write_handler("level", print)
        thing.remove_action("work")
        thing.remove_property("level")
    assert not [handlers for handlers in thing._handlers.values() if handlers]
    thing.add_action("work", {})
    interaction = thing.thing.actions["work"]
    assert isinstance(interaction, Action)
    assert interaction not in thing._handlers["invoke_action"]


async def test_bindings_give_forms_in_wotpys_way_too(
    servient: Servient, wot: WoT, lines: LineBinding
) -> None:
    thing = wot.produce(worker())
    [form] = lines.build_forms("127.0.0.1", thing.thing.actions["work"])
    assert form.href == f"lines://127.0.0.1:{lines.port}/worker/actions/work"
    assert form.op == "invokeaction"
    assert servient.get_thing_base_url(thing) == f"lines://127.0.0.1:{lines.port}/worker"

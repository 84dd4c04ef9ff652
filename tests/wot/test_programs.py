"""Programs written against WoTPy's API: they do the same on WoTPy's own servient and on ours."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from wotpy.wot.dictionaries.filter import ThingFilterDict
from wotpy.wot.dictionaries.interaction import ActionFragmentDict, PropertyFragmentDict
from wotpy.wot.dictionaries.thing import ThingFragment
from wotpy.wot.enums import DiscoveryMethod
from wotpy.wot.servient import Servient as WotpyServient
from wotpy.wot.td import ThingDescription

from servient.wot.servient import Servient

Transcript = list[Any]
Program = Callable[[Any], Awaitable[Transcript]]

BASICS: dict[str, Any] = {
    "@context": "https://www.w3.org/2022/wot/td/v1.1",
    "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
    "security": "nosec_sc",
}
COFFEE_MACHINE = {
    **BASICS,
    "id": "urn:test:coffee-machine",
    "title": "Coffee machine",
    "properties": {
        "resources": {
            "type": "object",
            "properties": {"water": {"type": "integer"}, "beans": {"type": "integer"}},
        },
        "served": {"type": "integer", "minimum": 0},
        "serviceNeeded": {"type": "boolean", "observable": True},
        "schedules": {"type": "array", "items": {"type": "object"}, "observable": True},
    },
    "actions": {
        "brew": {"input": {"type": "object"}, "output": {"type": "object"}},
        "schedule": {"input": {"type": "object"}, "output": {"type": "integer"}},
    },
    "events": {"outOfResource": {"data": {"type": "string"}}},
}
CPU_MONITOR = {
    **BASICS,
    "title": "CPU monitor",
    "properties": {
        "cpuPercent": {"type": "number", "observable": True},
        "cpuThreshold": {"type": "number", "observable": True},
    },
    "events": {"cpuAlert": {"data": {"type": "number"}}},
}


@pytest.fixture(params=["wotpy", "ours"])
async def servient(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """The servient that a program runs on; it stands in for nothing, but makes no clients."""
    if request.param == "wotpy":
        no_client = SimpleNamespace(protocol="none")
        running = WotpyServient("127.0.0.1", catalogue_port=None, clients=[no_client])
    else:
        running = Servient("127.0.0.1")
    yield running
    await running.shutdown()


async def settle() -> None:
    """Let the loop call what WoTPy left to it."""
    for _ in range(5):
        await asyncio.sleep(0)


async def coffee_machine(servient: Any) -> Transcript:
    """Handlers that read and write their own Thing, as the coffee machine of WoTPy's examples has."""
    said: Transcript = []
    wot = await servient.start()
    exposed = wot.produce(json.dumps(COFFEE_MACHINE))
    await exposed.properties["resources"].write({"water": 3, "beans": 10})
    await exposed.properties["serviceNeeded"].write(False)
    await exposed.properties["schedules"].write([])
    exposed.properties["serviceNeeded"].subscribe(
        on_next=lambda item: said.append(("service needed", item.data.name, item.data.value)),
        on_completed=lambda: said.append("completed"),
        on_error=lambda error: said.append(("error", str(error))),
    )
    exposed.events["outOfResource"].subscribe(on_next=lambda event: said.append(event.data))

    async def write_served(value: int) -> None:
        await exposed._default_update_property_handler("served", value)
        if value > 1:
            await exposed.properties["serviceNeeded"].write(True)

    async def brew(order: Any) -> Any:
        resources = (await exposed.read_property("resources")).copy()
        resources["water"] -= (order or {}).get("cups", 1)
        if resources["water"] < 0:
            exposed.emit_event("outOfResource", "water")
            return {"result": False}
        await exposed.properties["resources"].write(resources)
        await exposed.properties["served"].write(await exposed.read_property("served") + 1)
        return {"result": True, "left": resources["water"]}

    async def schedule(order: Any) -> int:
        schedules = await exposed.read_property("schedules")
        schedules.append(order)
        await exposed.properties["schedules"].write(schedules)
        return len(schedules)

    exposed.set_property_write_handler("served", write_served)
    await exposed.properties["served"].write(0)
    exposed.set_action_handler("brew", brew).set_action_handler("schedule", schedule)
    exposed.expose()
    said.append(await exposed.actions["brew"].invoke())
    said.append(await exposed.actions["brew"].invoke({"cups": 2}))
    said.append(await exposed.invoke_action("brew", {"cups": 1}))
    said.append(await exposed.actions["schedule"].invoke({"time": "10:00"}))
    said.append(await exposed.actions["schedule"].invoke({"time": "11:00"}))
    said.append(await exposed.properties["schedules"].read())
    said.append(await exposed.properties["served"].read())
    return said


async def cpu_monitor(servient: Any) -> Transcript:
    """A loop that sets, a loop that checks: both begin before there is a first value."""
    said: Transcript = []
    wot = await servient.start()
    exposed = wot.produce(json.dumps(CPU_MONITOR))
    samples = iter([10.0, 90.0, 20.0])
    alerts = exposed.events["cpuAlert"].subscribe(on_next=lambda event: said.append(event.data))

    async def check() -> None:
        percent = await exposed.properties["cpuPercent"].read()
        threshold = await exposed.properties["cpuThreshold"].read()
        said.append((percent, threshold))
        if percent is not None and threshold is not None and percent >= threshold:
            exposed.events["cpuAlert"].emit(percent)

    await check()
    await exposed.properties["cpuThreshold"].write(50.0)
    exposed.expose()
    for sample in samples:
        await exposed.properties["cpuPercent"].write(sample)
        await check()
    alerts.dispose()
    exposed.emit_event("cpuAlert", 100.0)
    return said


async def thermostat(servient: Any) -> Transcript:
    """A Thing made of a ThingFragment, whose affordances come and go."""
    said: Transcript = []
    wot = await servient.start()
    exposed = wot.produce(ThingFragment({**BASICS, "title": "Thermostat", "id": "urn:test:t"}))
    exposed.on_td_change().subscribe(
        lambda event: said.append((event.data.td_change_type, event.data.method, event.data.name))
    )
    exposed.expose()
    exposed.add_property(
        "target-temperature",
        PropertyFragmentDict({"type": "number", "observable": True}),
        value=19.5,
    )
    exposed.add_property("mode", {"type": "string"})
    said.append(await exposed.properties["target-temperature"].read())
    said.append(await exposed.properties["Target Temperature"].read())
    said.append(await exposed.properties["mode"].read())
    exposed.properties["target-temperature"].subscribe(
        on_next=lambda item: said.append(item.data.value)
    )
    exposed.properties["mode"].subscribe(
        on_next=said.append, on_error=lambda error: said.append(str(error))
    )
    await settle()
    await exposed.write_property("target-temperature", 21.0)

    async def raise_by(degrees: float) -> float:
        return float(await exposed.read_property("target-temperature")) + degrees

    exposed.add_action("raise", ActionFragmentDict({"input": {"type": "number"}}), raise_by)
    exposed.add_event("reached", {"data": {"type": "number"}})
    exposed.events["reached"].subscribe(lambda event: said.append(("reached", event.data)))
    exposed.events["reached"].emit(await exposed.actions["raise"].invoke(1.5))

    async def measured() -> float:
        return 4.0

    exposed.set_property_read_handler("mode", measured)
    said.append(await exposed.properties["mode"].read())
    said.append((sorted(exposed.properties), sorted(exposed.actions), sorted(exposed.events)))
    exposed.remove_property("mode")
    exposed.remove_action("raise")
    exposed.remove_event("reached")
    said.append(("mode" in exposed.properties, len(exposed.actions), len(exposed.events)))
    said.append(exposed.properties["target-temperature"].observable)
    return said


async def two_of_a_kind(servient: Any) -> Transcript:
    """Things side by side: found by what their descriptions say, gone when they are destroyed."""
    said: Transcript = []
    wot = await servient.start()
    attic = wot.produce(json.dumps({**CPU_MONITOR, "title": "Attic", "@type": "sensor"}))
    cellar = wot.produce(json.dumps({**CPU_MONITOR, "title": "Cellar", "@type": "sensor"}))
    wot.produce(json.dumps({**CPU_MONITOR, "title": "Gate", "@type": "actuator"})).expose()
    attic.expose()
    cellar.expose()

    def discover(**fragment: Any) -> list[str]:
        found: list[str] = []
        wanted = ThingFilterDict(method=DiscoveryMethod.LOCAL, fragment=fragment)
        wot.discover(wanted).subscribe(lambda td: found.append(json.loads(td)["title"]))
        return sorted(found)

    said.append(discover())
    said.append(discover(title="Cellar"))
    attic.destroy()
    said.append(discover(**{"@type": "sensor"}))
    said.append(discover(title="Attic"))
    said.append(sorted(thing.title for thing in servient.enabled_exposed_things))
    again = wot.produce(json.dumps({**CPU_MONITOR, "title": "Attic", "id": "urn:test:attic"}))
    again.expose()
    said.append((again.title, again.id, again.url_name, again.thing.url_name))
    said.append(sorted(thing.title for thing in servient.exposed_things))
    return said


async def turned_into_another(servient: Any) -> Transcript:
    """A Thing produced from the description that WoTPy wrote of another."""
    said: Transcript = []
    wot = await servient.start()
    exposed = wot.produce(json.dumps({**COFFEE_MACHINE, "title": "First"}))
    written = ThingDescription.from_thing(exposed.thing).to_dict()
    other = wot.produce(json.dumps({**written, "title": "Second", "id": "urn:test:second"}))
    third = wot.produce(wot.consume(json.dumps({**written, "title": "Third", "id": "urn:t:3"})))
    for thing in (other, third):
        await thing.properties["served"].write(3)
        said.append((thing.title, await thing.properties["served"].read(), len(thing.actions)))
    return said


PROGRAMS: dict[Program, Transcript] = {
    coffee_machine: [
        {"result": True, "left": 2},
        ("service needed", "serviceNeeded", True),
        {"result": True, "left": 0},
        "water",
        {"result": False},
        1,
        2,
        [{"time": "10:00"}, {"time": "11:00"}],
        2,
    ],
    cpu_monitor: [(None, None), (10.0, 50.0), (90.0, 50.0), 90.0, (20.0, 50.0)],
    thermostat: [
        ("property", "add", "target-temperature"),
        ("property", "add", "mode"),
        19.5,
        19.5,
        None,
        "Property is not observable",
        21.0,
        ("action", "add", "raise"),
        ("event", "add", "reached"),
        ("reached", 22.5),
        4.0,
        (["mode", "target-temperature"], ["raise"], ["reached"]),
        ("property", "remove", "mode"),
        ("action", "remove", "raise"),
        ("event", "remove", "reached"),
        (False, 0, 0),
        True,
    ],
    two_of_a_kind: [
        ["Attic", "Cellar", "Gate"],
        ["Cellar"],
        ["Cellar"],
        [],
        ["Cellar", "Gate"],
        ("Attic", "urn:test:attic", "attic", "attic"),
        ["Attic", "Cellar", "Gate"],
    ],
    turned_into_another: [("Second", 3, 2), ("Third", 3, 2)],
}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
async def test_a_program_says_the_same_on_both_servients(servient: Any, program: Program) -> None:
    assert await asyncio.wait_for(program(servient), 20) == PROGRAMS[program]


async def test_a_program_that_breaks_a_rule_is_told_so_on_both(servient: Any) -> None:
    wot = await servient.start()
    wot.produce(json.dumps(CPU_MONITOR))
    with pytest.raises(Exception, match="CPU monitor"):
        wot.produce(json.dumps(CPU_MONITOR))
    exposed = wot.produce(json.dumps({**CPU_MONITOR, "title": "Other", "id": "urn:test:other"}))
    with pytest.raises(ValueError, match="cpuPercent"):
        exposed.add_property("cpuPercent", {"type": "number"})
    with pytest.raises(ValueError, match="Invalid Interaction name"):
        exposed.add_action("with space", {})
    with pytest.raises(KeyError):
        exposed.set_action_handler("unknown", print)
    with pytest.raises(KeyError):
        exposed.properties["unknown"]
    exposed.destroy()
    for gone in (exposed.destroy, exposed.expose):
        with pytest.raises(ValueError, match=r"Other|other"):
            gone()


async def test_an_observer_of_something_unknown_is_told_so(servient: Any) -> None:
    wot = await servient.start()
    exposed = wot.produce(json.dumps(CPU_MONITOR))
    errors: list[str] = []
    exposed.on_event("unknown").subscribe(on_error=lambda error: errors.append(str(error)))
    exposed.on_property_change("x").subscribe(on_error=lambda error: errors.append(str(error)))
    assert errors == ["Unknown event", "Unknown property"]

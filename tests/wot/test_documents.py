"""A Thing Description is served as it was given, with forms added."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from wotpy.wot.dictionaries.thing import ThingFragment

from servient.errors import InvalidInput
from servient.wot.entry import WoT
from servient.wot.servient import Servient
from tests.wot.documents import td, worker
from tests.wot.lines import LineBinding, ask

RICH: dict[str, Any] = {
    **td("Rich"),
    "@context": [
        "https://www.w3.org/2022/wot/td/v1.1",
        {"wasm": "urn:wasm-servient:vocabulary#", "saref": "https://w3id.org/saref#"},
    ],
    "@type": ["saref:Sensor"],
    "id": "urn:test:rich",
    "titles": {"en": "Rich", "de": "Reich"},
    "saref:madeOf": {"deep": [1, 2.5, None, {"deeper": True}], "none": []},
    "unknownMember": ["stays"],
    "links": [{"href": "https://example.org", "rel": "manual", "hreflang": "en"}],
    "forms": [
        {"href": "https://example.org/all", "op": ["readallproperties"], "contentType": "text/csv"}
    ],
    "properties": {
        "choice": {
            "oneOf": [{"type": "string"}, {"type": "null"}],
            "saref:unit": "none",
            "forms": [
                {
                    "href": "https://example.org/choice{?q}",
                    "op": "readproperty",
                    "contentType": "application/cbor",
                    "htv:methodName": "GET",
                    "response": {"contentType": "application/cbor"},
                }
            ],
            "uriVariables": {"q": {"type": "string"}},
        },
        "anything": {"observable": True},
        "nested": {
            "type": "object",
            "properties": {"untyped": {"description": "no type"}, "list": {"type": "array"}},
            "default": {"untyped": None, "list": []},
        },
        "constant": {"const": None, "readOnly": True},
    },
    "actions": {"act": {"input": {"title": "untyped"}, "synchronous": True, "wasm:function": "f"}},
    "events": {"happened": {"data": {"enum": [1, "two", None]}, "saref:since": "2024"}},
}


@pytest.fixture
def lines() -> LineBinding:
    return LineBinding()


@pytest.fixture
async def servient(lines: LineBinding) -> AsyncIterator[Servient]:
    running = Servient()
    running.add_server(lines)
    await running.start()
    yield running
    await running.shutdown()


@pytest.mark.parametrize("to_model", [json.dumps, lambda d: json.dumps(d).encode(), dict])
async def test_a_description_is_served_as_it_was_given(
    servient: Servient, wot: WoT, lines: LineBinding, to_model: Any
) -> None:
    thing = wot.produce(to_model(RICH))
    served = json.loads(json.dumps(servient.td(thing)))
    base = f"lines://127.0.0.1:{lines.port}/rich"
    for kind, name, operation in (
        ("properties", "choice", "readproperty"),
        ("properties", "anything", "readproperty"),
        ("properties", "nested", "readproperty"),
        ("properties", "constant", "readproperty"),
        ("actions", "act", "invokeaction"),
        ("events", "happened", None),
    ):
        forms = served[kind][name].pop("forms")
        own = RICH[kind][name].get("forms", [])
        ours = [{"href": f"{base}/{kind}/{name}", "op": operation}] if operation else []
        assert forms == [*own, *ours]
        if own:
            served[kind][name]["forms"] = own
    assert served == RICH
    assert list(served) == list(RICH)


async def test_the_forms_of_a_description_lead_to_the_thing(
    servient: Servient, wot: WoT, lines: LineBinding
) -> None:
    thing = wot.produce(worker(input={"type": "integer"}))
    thing.set_action_handler("work", lambda number: number * 2)
    thing.expose()
    served = servient.td(thing)
    [form] = served["actions"]["work"]["forms"]
    _, name, _, action = form["href"].removeprefix("lines://").split("/")
    answers = await ask(
        lines,
        f"{form['op']} {name} {action} 21",
        f"readproperty {name} work_result",
        f"{form['op']} {name} {action} [",
        f"{form['op']} {name} other 1",
        f"writeproperty {name} work_result 1",
    )
    assert answers[:2] == ["42", "42"]
    assert [json.loads(answer)["status"] for answer in answers[2:]] == [400, 404, 405]


async def test_a_description_belongs_to_the_thing(servient: Servient, wot: WoT) -> None:
    template = worker(input={"type": "integer"})
    first = wot.produce(template)
    template["title"] = "Second"
    template["actions"]["work"]["input"]["type"] = "string"
    second = wot.produce(template)
    assert servient.td(first)["title"] == "Worker"
    assert servient.td(first)["actions"]["work"]["input"] == {"type": "integer"}
    assert servient.td(second)["actions"]["work"]["input"] == {"type": "string"}
    assert first.description.document["title"] == "Worker"
    assert "forms" not in first.description.document["actions"]["work"]


async def test_forms_are_worked_out_once_and_anew_when_the_description_changes(
    servient: Servient, wot: WoT, lines: LineBinding
) -> None:
    thing = wot.produce(worker())
    told: list[Any] = []
    thing.on_td_change().subscribe(lambda event: told.append(event.data))
    thing.expose()
    first = servient.td(thing)
    assert servient.td(thing) is first
    definition = {"oneOf": [{"type": "integer"}, {"enum": ["off"]}], "wasm:unit": None}
    thing.add_property("level", definition)
    second = servient.td(thing)
    assert {**second["properties"]["level"], "forms": 1} == {**definition, "forms": 1}
    assert second["properties"]["level"]["forms"][0]["href"].endswith("/properties/level")
    assert "level" not in first["properties"]
    thing.remove_property("level")
    thing.remove_property("level")
    assert servient.td(thing) == first
    added, removed = told  # and they are told of it when it is so
    assert (added.data, added.description) == (definition, second)
    assert (removed.method, removed.name, removed.description) == ("remove", "level", None)


async def test_a_thing_of_the_same_name_gets_its_own_description(
    servient: Servient, wot: WoT
) -> None:
    first = wot.produce(td("Lamp", description="the first"))
    assert servient.td(first)["description"] == "the first"
    first.destroy()
    second = wot.produce(td("Lamp", description="the second"))
    assert servient.td(first)["description"] == "the first"
    assert servient.td(second)["description"] == "the second"


async def test_forms_are_of_the_ports_that_are_bound_at_last() -> None:
    servient = Servient()
    lines = LineBinding()
    servient.add_server(lines)
    thing = WoT(servient).produce(worker())
    thing.expose()
    assert "127.0.0.1:0/" in servient.td(thing)["actions"]["work"]["forms"][0]["href"]
    await servient.start()
    assert f":{lines.port}/" in servient.td(thing)["actions"]["work"]["forms"][0]["href"]
    await servient.shutdown()


async def test_what_wotpy_writes_is_read_without_its_fillers(servient: Servient, wot: WoT) -> None:
    """WoTPy writes "oneOf": [] into each schema, which no value would satisfy."""
    schema = {"type": "object", "oneOf": [], "properties": {"a": {"type": "integer", "oneOf": []}}}
    document = td(
        properties={"p": dict(schema)},
        actions={"a": {"input": dict(schema), "output": dict(schema)}},
        events={"e": {"data": dict(schema)}},
    )
    for model in (document, json.dumps({**document, "title": "B"})):
        thing = wot.produce(model)
        thing.add_property("q", dict(schema))
        served = servient.td(thing)
        assert "oneOf" not in json.dumps(served)
        assert served["properties"]["q"]["properties"] == {"a": {"type": "integer"}}


async def test_a_fragment_makes_a_thing(servient: Servient, wot: WoT) -> None:
    fragment = ThingFragment(td("Fragment", id="urn:f", properties={"p": {"type": "integer"}}))
    served = servient.td(wot.produce(fragment))
    assert (served["title"], served["id"]) == ("Fragment", "urn:f")
    assert served["properties"]["p"]["type"] == "integer"
    assert "oneOf" not in served["properties"]["p"]


DEEP: Any = {"type": "integer"}
for _ in range(200):
    DEEP = {"type": "array", "items": DEEP}


@pytest.mark.parametrize(
    "model",
    [
        None,
        5,
        [],
        "",
        "[]",
        "{",
        b"\xff",
        "{}",
        '{"title": NaN}',
        "[" * 100_000,
        '{"a":' * 100_000,
        json.dumps({"title": "x"}),
        {**td(), "title": 5},
        {**td(), "wasm:number": float("nan")},
        {**td(), "wasm:number": {1, 2}},
        {**td(), "wasm:self": b"bytes"},
        td(properties={"a b": {"type": "integer"}}),
        td(actions={"": {}}),
        td(properties={"p": {"type": "file"}}),
        td(properties={"p": {"type": "string", "pattern": "("}}),
        td(actions={"a": {"input": {"type": "object", "properties": {"x": {"pattern": "*"}}}}}),
        td(events={"e": {"data": {"type": "integer", "multipleOf": 0}}}),
        td(properties={"p": DEEP}),
        ThingFragment(td(properties={"p": {"type": "object", "properties": {"untyped": {}}}})),
    ],
    ids=lambda model: repr(model)[:40],
)
async def test_what_is_no_description_is_refused_and_leaves_nothing(
    servient: Servient, wot: WoT, model: Any
) -> None:
    with pytest.raises(InvalidInput) as refused:
        wot.produce(model)
    assert refused.value.detail
    assert not list(servient.exposed_things)


@pytest.mark.parametrize(
    "definition",
    [None, 5, {"type": "file"}, {"type": "string", "pattern": "("}, {"x": float("inf")}, DEEP],
    ids=lambda definition: repr(definition)[:40],
)
async def test_what_is_no_definition_is_refused_and_changes_nothing(
    servient: Servient, wot: WoT, definition: Any
) -> None:
    thing = wot.produce(worker())
    before = servient.td(thing)
    changes: list[Any] = []
    thing.on_td_change().subscribe(changes.append)
    with pytest.raises(InvalidInput):
        thing.add_property("p", definition)
    assert (servient.td(thing), list(thing.properties), changes) == (before, ["work_result"], [])

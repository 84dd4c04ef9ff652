"""Thing Descriptions, and how they are found."""

import json

import pytest
from aiocoap import GET

from servient.wot.content import to_json
from tests.bindings.coap.serving import JSON, LAMP, Serving, problem_of, serve
from tests.things import expose_lamp
from thing_descriptions.validator import validate_td

TD = 432
LINK_FORMAT = 40


async def test_a_td(serving: Serving) -> None:
    response = await serving.ask(GET, LAMP)
    assert response.code.dotted == "2.05"
    assert response.opt.content_format == TD
    td = json.loads(response.payload)
    assert validate_td(td) == []
    assert td["properties"]["level"]["forms"][0]["href"].startswith(serving.binding.origin)


async def test_a_td_as_json(serving: Serving) -> None:
    response = await serving.ask(GET, LAMP, accept=JSON)
    assert response.opt.content_format == JSON
    assert json.loads(response.payload)["title"] == "Lamp lamp:1"


async def test_a_large_td(serving: Serving) -> None:
    document = {**serving.lamp.description.document, "title": "Large", "id": "urn:large"}
    document["properties"] = {f"p{n}": {"type": "integer"} for n in range(200)}
    thing = serving.wot.produce(document)
    thing.expose()
    response = await serving.ask(GET, f"/things/{thing.name}")
    assert len(response.payload) > 20_000
    assert response.payload == to_json(serving.servient.td(thing))


async def test_a_td_changes_while_it_is_fetched(serving: Serving) -> None:
    """Its blocks are all of one description."""
    with serving.peer() as peer:
        first = await peer.ask(GET, LAMP)
        assert first.opt.block2.more
        before = to_json(serving.servient.td(serving.lamp))
        serving.lamp.add_event("more", {"data": {"type": "string"}})
        assert to_json(serving.servient.td(serving.lamp)) != before
        body = first.payload
        for number in range(1, 1 + (len(before) - 1) // 1024):
            part = await peer.ask(GET, LAMP, block2=(number, False, 6))
            assert part.opt.etag == first.opt.etag
            body += part.payload
        assert body == before


async def test_the_well_known_td() -> None:
    async with serve(directory_thing="lamp:1") as serving:
        well_known = await serving.ask(GET, "/.well-known/wot")
        assert well_known.opt.content_format == TD
        assert well_known.payload == (await serving.ask(GET, LAMP)).payload
    async with serve() as serving:
        assert problem_of(await serving.ask(GET, "/.well-known/wot"))[0] == "4.04"


async def test_links() -> None:
    async with serve(directory_thing="lamp:1") as serving:
        expose_lamp(serving.wot, "a b")
        response = await serving.ask(GET, "/.well-known/core")
        assert response.opt.content_format == LINK_FORMAT
        assert response.payload.decode().split(",") == [
            '</.well-known/wot>;rt="wot.directory";ct=432',
            '</things/lamp:1>;rt="wot.thing";ct=432',
            '</things/a%20b>;rt="wot.thing";ct=432',
        ]
        assert (await serving.ask(GET, "/things/a%20b")).code.is_successful()


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("rt=wot.thing", 1),
        ("rt=wot.directory", 1),
        ("rt=wot.*", 2),
        ("rt=*&ct=432", 2),
        ("href=/things/lamp:1", 1),
        ("rt=core.rd", 0),
        ("anything", 2),
        ("unknown=1", 0),
        ("rt=", 0),
    ],
)
async def test_links_are_filtered(query: str, count: int) -> None:
    async with serve(directory_thing="lamp:1") as serving:
        response = await serving.ask(GET, f"/.well-known/core?{query}")
        assert response.code.dotted == "2.05"
        assert response.payload.count(b"<") == count


@pytest.mark.parametrize(
    "path", ["", "/", "/things", "/things/", "/.well-known", "/x", "/things/x"]
)
async def test_nothing_else_is_there(serving: Serving, path: str) -> None:
    assert problem_of(await serving.ask(GET, path))[0] == "4.04"

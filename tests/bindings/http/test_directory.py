"""Thing Descriptions over HTTP."""

import asyncio
from typing import Any

import pytest

from servient.wot.thing import ExposedThing
from tests.bindings.http.serving import LAMP, Serving, is_problem, serve
from tests.things import expose_lamp
from thing_descriptions.validator import validate_td


async def test_a_thing_describes_itself(serving: Serving) -> None:
    answer = await serving.get(LAMP)
    assert answer.headers["content-type"] == "application/td+json"
    td = answer.json()
    assert td == serving.servient.td(serving.lamp)
    assert validate_td(td) == []
    assert (await serving.get("/things/urn:test:lamp:1")).json() == td
    assert (await serving.get("/things/lamp%3A1")).json() == td


async def test_all_things_are_listed_by_id(serving: Serving) -> None:
    expose_lamp(serving.wot, "zebra")
    expose_lamp(serving.wot, "ape")
    answer = await serving.get("/things")
    assert answer.headers["content-type"] == "application/ld+json"
    assert [td["id"] for td in answer.json()] == [
        "urn:test:ape",
        "urn:test:lamp:1",
        "urn:test:zebra",
    ]


async def test_what_is_known_is_not_sent_again(serving: Serving) -> None:
    for path in (LAMP, "/things"):
        etag = (await serving.get(path)).headers["etag"]
        known = await serving.get(path, headers={"If-None-Match": etag})
        assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", etag)
        _change(serving.lamp)
        changed = await serving.get(path, headers={"If-None-Match": etag})
        assert changed.status_code == 200
        assert changed.headers["etag"] != etag


def _change(lamp: ExposedThing) -> None:
    name = f"extra{len(lamp.description.document['properties'])}"
    lamp.add_property(name, {"type": "string"}, "x")


async def test_a_destroyed_thing_is_gone(serving: Serving) -> None:
    serving.lamp.destroy()
    assert is_problem(await serving.get(LAMP), 404)
    assert (await serving.get("/things")).json() == []
    expose_lamp(serving.wot)
    assert (await serving.get(LAMP)).status_code == 200


async def test_things_that_go_while_all_are_listed(serving: Serving) -> None:
    """One goes at each turn of the loop, the last of the list first."""
    things = [expose_lamp(serving.wot, f"lamp{number:03}") for number in range(300)]
    listing = asyncio.create_task(serving.get("/things"))
    while not listing.done():
        await asyncio.sleep(0)
        if things:
            things.pop().destroy()
    listed = [td["id"] for td in listing.result().json()]
    assert listed == sorted(
        ["urn:test:lamp:1", *(f"urn:test:lamp{n:03}" for n in range(len(listed) - 1))]
    )
    assert len((await serving.get("/things")).json()) == len(things) + 1 <= len(listed)


async def test_the_servient_describes_itself() -> None:
    async with serve(directory_thing="me") as serving:
        assert is_problem(await serving.get("/.well-known/wot"), 404)
        me = expose_lamp(serving.wot, "me")
        answer = await serving.get("/.well-known/wot")
        assert answer.headers["content-type"] == "application/td+json"
        assert answer.json() == serving.servient.td(me)
        assert (await serving.send("HEAD", "/.well-known/wot")).content == b""


async def test_a_servient_without_a_thing_of_its_own(serving: Serving) -> None:
    assert is_problem(await serving.get("/.well-known/wot"), 404)


async def walk(serving: Serving, path: str) -> list[Any]:
    """All pages, from link to link."""
    pages = []
    while True:
        answer = await serving.get(path)
        assert answer.status_code == 200
        pages.append(answer.json())
        links = {link["rel"]: link["url"] for link in answer.links.values()}
        assert links["canonical"] == "/things"
        if "next" not in links:
            return pages
        path = links["next"]


async def test_things_are_listed_in_pages(serving: Serving) -> None:
    for name in ("ape", "bee", "cat", "dog"):
        expose_lamp(serving.wot, name)
    pages = await walk(serving, "/things?limit=2")
    assert [[td["id"][9:] for td in page] for page in pages] == [
        ["ape", "bee"],
        ["cat", "dog"],
        ["lamp:1"],
    ]
    assert await walk(serving, "/things?limit=5") == [[td for page in pages for td in page]]
    assert await walk(serving, "/things?offset=4") == [pages[2]]
    assert await walk(serving, "/things?offset=99&limit=3") == [[]]


async def test_a_page_is_a_collection_when_that_is_wanted(serving: Serving) -> None:
    expose_lamp(serving.wot, "ape")
    first, second = await walk(serving, "/things?limit=1&format=collection")
    assert (first["@type"], first["total"]) == ("ThingCollection", 2)
    assert [each["members"][0]["id"] for each in (first, second)] == [
        "urn:test:ape",
        "urn:test:lamp:1",
    ]
    assert first["next"] == second["@id"]
    assert "next" not in second


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=-1", "limit=x", "limit=1001", "offset=-1", "offset=%C2%B2", "format=xml"],
)
async def test_a_page_that_is_none_is_refused(serving: Serving, query: str) -> None:
    refused = await serving.get(f"/things?{query}")
    assert is_problem(refused, 400)
    assert refused.json()["detail"].startswith(query.partition("=")[0])

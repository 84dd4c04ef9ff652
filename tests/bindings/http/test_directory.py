"""Thing Descriptions over HTTP."""

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

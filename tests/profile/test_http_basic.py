"""The HTTP Basic Profile (WoT Profile, section 6)."""

import asyncio
import base64
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from servient.bindings.http.binding import HttpBinding
from servient.bindings.http.profiles import HTTP_BASIC
from servient.wot.invocations import Bounds, Invocations
from servient.wot.schema import DataSchema
from servient.wot.servient import Servient
from tests.files import EXAMPLES
from tests.profile.assertions import BASIC, asserts
from tests.profile.consumer import ACCEPT_JSON, invoke, is_json, is_problem, url_of
from tests.profile.things import DEADLINE_SECONDS, PICTURE, Stage, expose_kiln

pytestmark = pytest.mark.asyncio(loop_scope="module")

STATES = ("pending", "running", "completed", "failed")


async def over(stage: Stage, answer: httpx.Response) -> dict[str, Any]:
    """The status of an invocation once it is over."""
    url = urljoin(str(answer.url), answer.headers["location"])
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            queried = await stage.http.get(url, headers=ACCEPT_JSON)
            assert (queried.status_code, is_json(queried)) == (200, True)
            status: dict[str, Any] = queried.json()
            if "timeEnded" in status:
                return status
            await asyncio.sleep(0.01)


@asserts("http-basic-profile-1", "http-basic-profile-identifier-1")
async def test_it_is_claimed(stage: Stage) -> None:
    """The common constraints are in test_common."""
    assert all(HTTP_BASIC in td["profile"] for td in stage.tds.values())


@asserts("profile-5-2-thing-protocol-binding-1")
async def test_it_is_bound_to_http_1_1(stage: Stage) -> None:
    url = url_of(stage.td("Kiln"), "readproperty", "properties", "target")
    assert (await stage.http.get(url)).http_version == "HTTP/1.1"


# Properties


@asserts(BASIC + "readproperty-1", BASIC + "writeproperty-1")
async def test_properties_have_forms_for_what_they_offer(stage: Stage) -> None:
    for td in stage.tds.values():
        for name, definition in td["properties"].items():
            if not definition.get("writeOnly"):
                assert url_of(td, "readproperty", "properties", name)
            if not definition.get("readOnly"):
                assert url_of(td, "writeproperty", "properties", name)


@asserts(BASIC + "readproperty-6")
async def test_a_property_is_read_as_json(stage: Stage) -> None:
    values = {"target": 900, "programme": None, "picture": "iVBORw0K", "serial": "K-1"}
    for name, value in values.items():
        url = url_of(stage.td("Kiln"), "readproperty", "properties", name)
        answer = await stage.http.get(url, headers=ACCEPT_JSON)
        assert (answer.status_code, is_json(answer), answer.json()) == (200, True, value)
    for td in stage.tds.values():
        for name, definition in td["properties"].items():
            if definition.get("writeOnly"):
                continue
            url = url_of(td, "readproperty", "properties", name)
            answer = await stage.http.get(url, headers=ACCEPT_JSON)
            if answer.status_code == 404:  # it has no value yet
                assert is_problem(answer)
                continue
            assert (answer.status_code, is_json(answer)) == (200, True)
            DataSchema(definition).accept(answer.json())


@asserts(BASIC + "writeproperty-6")
async def test_a_property_is_written_as_json(stage: Stage) -> None:
    for name, value in {"target": 1000, "programme": None, "picture": "iVBORw0K"}.items():
        url = url_of(stage.td("Kiln"), "writeproperty", "properties", name)
        answer = await stage.http.put(url, json=value)
        assert (answer.status_code, answer.content) == (204, b"")
        assert (await stage.http.get(url, headers=ACCEPT_JSON)).json() == value
    stage.kiln.set_property("target", 900)


@asserts(BASIC + "readallproperties-1", BASIC + "writemultipleproperties-1")
async def test_things_have_forms_for_their_properties(stage: Stage) -> None:
    for td in stage.tds.values():
        assert url_of(td, "readallproperties")
    assert url_of(stage.td("Kiln"), "writemultipleproperties")


@asserts(BASIC + "readallproperties-5")
async def test_all_readable_properties_are_read_at_once(stage: Stage) -> None:
    for td in stage.tds.values():
        answer = await stage.http.get(url_of(td, "readallproperties"), headers=ACCEPT_JSON)
        assert (answer.status_code, is_json(answer)) == (200, True)
        for name, value in answer.json().items():
            DataSchema(td["properties"][name]).accept(value)
    readable = {"target", "programme", "picture", "serial"}
    everything = await stage.http.get(url_of(stage.td("Kiln"), "readallproperties"))
    assert everything.json().keys() == readable


@asserts(BASIC + "writemultipleproperties-6")
async def test_several_properties_are_written_at_once(stage: Stage) -> None:
    url = url_of(stage.td("Kiln"), "writemultipleproperties")
    answer = await stage.http.put(url, json={"target": 950, "programme": None})
    assert (answer.status_code, answer.content) == (204, b"")
    assert stage.kiln.value_of("target") == 950
    stage.kiln.set_property("target", 900)


# Actions


@asserts(BASIC + "invokeaction-1", BASIC + "invokeaction-24")
async def test_actions_have_forms_and_say_how_they_answer(stage: Stage) -> None:
    for td in stage.tds.values():
        for name, definition in td["actions"].items():
            assert url_of(td, "invokeaction", "actions", name)
            assert definition["synchronous"] in (True, False)


@asserts(
    BASIC + "invokeaction-6",
    BASIC + "invokeaction-7",
    BASIC + "invokeaction-11",
    BASIC + "invokeaction-20",
)
async def test_a_synchronous_action_answers_with_its_output(stage: Stage) -> None:
    image = base64.b64encode(EXAMPLES.joinpath("grayscale/image.ppm").read_bytes()).decode()
    for td, action, value, output in (
        (stage.td("Kiln"), "root", (9,), 3.0),
        (stage.td("Kiln"), "forget", (), None),
        (stage.td("Kiln"), "photograph", (), "iVBORw0K"),
        (stage.fibonacci, "fibo", ({"iterations": 12},), 233),
        (stage.grayscale, "grayscale", ({"image.ppm": image},), ...),
    ):
        answer = await invoke(stage.http, td, action, *value)
        assert (answer.status_code, is_json(answer)) == (200, True)
        if output is ...:
            assert base64.b64decode(answer.json()).startswith(b"P5\n16 16\n255\n")
        else:
            assert answer.json() == output


@asserts(BASIC + "invokeaction-20a")
async def test_a_synchronous_action_without_output_answers_with_nothing(stage: Stage) -> None:
    answer = await invoke(stage.http, stage.td("Kiln"), "reset")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-type" not in answer.headers


@asserts(
    BASIC + "invokeaction-8",
    BASIC + "invokeaction-10",
    BASIC + "invokeaction-15",
    BASIC + "invokeaction-16",
    BASIC + "invokeaction-19",
    BASIC + "invokeaction-21",
)
async def test_an_asynchronous_action_answers_with_its_status(stage: Stage) -> None:
    answer = await invoke(stage.http, stage.td("Kiln"), "fire", 0)
    assert (answer.status_code, is_json(answer)) == (201, True)
    status = answer.json()
    assert status["status"] in STATES
    assert status["href"] == answer.headers["location"]
    assert urljoin(str(answer.url), status["href"]).startswith("http://")
    assert "timeRequested" in status
    await stage.http.delete(urljoin(str(answer.url), status["href"]))


@asserts(BASIC + "invokeaction-12")
async def test_what_cannot_be_done_is_an_error(stage: Stage) -> None:
    kiln = stage.td("Kiln")
    for action, value, status in (("root", "nine", 400), ("fire", "hot", 400), ("root", -1, 500)):
        answer = await invoke(stage.http, kiln, action, value)
        assert answer.status_code == status
        assert is_problem(answer)


@asserts(BASIC + "invokeaction-23")
async def test_an_overloaded_servient_says_so() -> None:
    servient = Servient(invocations=Invocations(Bounds(running=1)))
    binding = HttpBinding("127.0.0.1", "127.0.0.1", 0)
    servient.add_server(binding)
    td = servient.td(expose_kiln(await servient.start()))
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await invoke(http, td, "fire", 0)).status_code == 201
            for action, value in (("fire", 1), ("root", 4)):
                answer = await invoke(http, td, action, value)
                assert answer.status_code == 503
                assert is_problem(answer)
    finally:
        await servient.shutdown()


# Invocations


@asserts(BASIC + "queryaction-1a", BASIC + "queryaction-5", BASIC + "invokeaction-17")
async def test_an_invocation_is_queried_until_it_has_its_output(stage: Stage) -> None:
    kiln = stage.td("Kiln")
    for action, value, output in (("fire", (1,), "fired at 1"), ("film", (), "iVBORw0K")):
        status = await over(stage, await invoke(stage.http, kiln, action, *value))
        assert (status["status"], status["output"]) == ("completed", output)
        DataSchema(kiln["actions"][action]["output"]).accept(status["output"])


@asserts(BASIC + "queryaction-7a", BASIC + "queryaction-7b", BASIC + "invokeaction-18")
async def test_an_invocation_that_failed_says_why(stage: Stage) -> None:
    status = await over(stage, await invoke(stage.http, stage.td("Kiln"), "fire", -1))
    assert status["status"] == "failed"
    assert "output" not in status
    assert status["error"].keys() >= {"type", "title", "status", "detail"}
    assert "no fire so cold" in status["error"]["detail"]


@asserts(BASIC + "cancelaction-1a", BASIC + "cancelaction-5")
async def test_an_invocation_is_cancelled(stage: Stage) -> None:
    answer = await invoke(stage.http, stage.td("Kiln"), "fire", 0)
    cancelled = await stage.http.delete(urljoin(str(answer.url), answer.headers["location"]))
    assert (cancelled.status_code, cancelled.content) == (204, b"")
    assert (await over(stage, answer))["status"] == "failed"


@asserts(BASIC + "queryallactions-1", BASIC + "queryallactions-6a", BASIC + "queryallactions-6b")
async def test_all_invocations_are_queried_newest_first(stage: Stage) -> None:
    for number in (1, 2, 3):
        await over(stage, await invoke(stage.http, stage.td("Kiln"), "fire", number))
    for td in stage.tds.values():
        answer = await stage.http.get(url_of(td, "queryallactions"), headers=ACCEPT_JSON)
        assert (answer.status_code, is_json(answer)) == (200, True)
        assert answer.json().keys() == td["actions"].keys()
        for statuses in answer.json().values():
            times = [status["timeRequested"] for status in statuses]
            assert times == sorted(times, reverse=True)
    fired = (await stage.http.get(url_of(stage.td("Kiln"), "queryallactions"))).json()["fire"]
    assert [status["output"] for status in fired[:3]] == [f"fired at {n}" for n in (3, 2, 1)]


@asserts(BASIC + "invokeaction-22")
async def test_old_invocations_make_room_for_new_ones() -> None:
    servient = Servient(invocations=Invocations(Bounds(history=2)))
    servient.add_server(HttpBinding("127.0.0.1", "127.0.0.1", 0))
    td = servient.td(expose_kiln(await servient.start()))
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            for number in range(5):
                await invoke(http, td, "root", number)
            kept = (await http.get(url_of(td, "queryallactions"))).json()["root"]
            assert [status["output"] for status in kept] == [2.0, 3.0**0.5]
    finally:
        await servient.shutdown()


async def test_who_knows_no_profile_gets_files_as_they_are(stage: Stage) -> None:
    form = stage.td("Kiln")["properties"]["picture"]["forms"][0]
    answer = await stage.http.get(form["href"])
    assert (answer.headers["content-type"], answer.content) == ("image/png", PICTURE.body)

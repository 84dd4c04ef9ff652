"""All properties of a Thing at once, and the invocations of its actions, over CoAP."""

import asyncio
import json
from typing import Any

import pytest
from aiocoap import DELETE, GET, POST, PUT

from tests.bindings.coap.serving import JSON, LAMP, Serving, problem_of

TD = 432


async def test_all_properties_are_read_and_several_written_at_once(serving: Serving) -> None:
    path = f"{LAMP}/properties"
    response = await serving.ask(GET, path)
    assert json.loads(response.payload) == {"level": 3, "serial": "4711"}
    response = await serving.ask(PUT, path, b'{"level": 8, "settings": {"id": 1}}')
    assert (response.code.dotted, response.payload) == ("2.04", b"")
    assert serving.lamp.value_of("level") == 8
    code, problem = problem_of(await serving.ask(PUT, path, b'{"level": 9, "settings": 1}'))
    assert (code, problem["errors"][0]["pointer"]) == ("4.00", "/settings")
    assert serving.lamp.value_of("level") == 8


@pytest.fixture
def gate(serving: Serving) -> asyncio.Event:
    """What the action `brew` waits for: one that nobody else has to wait for."""
    opened = asyncio.Event()

    async def brew(_: Any) -> Any:
        await opened.wait()
        return "tea"

    serving.lamp.add_action("brew", {"synchronous": False, "output": {"type": "string"}}, brew)
    return opened


async def test_an_action_that_is_not_synchronous_is_asked_after(
    serving: Serving, gate: asyncio.Event
) -> None:
    created = await serving.ask(POST, f"{LAMP}/actions/brew")
    assert (created.code.dotted, created.opt.content_format) == ("2.01", JSON)
    path = "/" + "/".join(created.opt.location_path)
    assert json.loads(created.payload)["href"] == path
    response = await serving.ask(GET, path)
    assert (json.loads(response.payload)["status"], response.opt.max_age) == ("running", 0)
    gate.set()
    while (status := json.loads((await serving.ask(GET, path)).payload))["status"] == "running":
        await asyncio.sleep(0.01)
    assert (status["status"], status["output"]) == ("completed", "tea")


async def test_an_invocation_is_cancelled(serving: Serving, gate: asyncio.Event) -> None:
    created = await serving.ask(POST, f"{LAMP}/actions/brew")
    path = "/" + "/".join(created.opt.location_path)
    assert (await serving.ask(DELETE, path)).code.dotted == "2.02"
    while (status := json.loads((await serving.ask(GET, path)).payload))["status"] == "running":
        await asyncio.sleep(0.01)
    assert (status["status"], status["error"]["instance"]) == ("failed", path)


async def test_a_description_that_the_client_has_is_not_sent_again(serving: Serving) -> None:
    first = await serving.ask(GET, LAMP)
    assert (first.opt.content_format, len(first.opt.etag)) == (TD, 8)
    again = await serving.ask(GET, LAMP, etags=[b"other", first.opt.etag])
    assert (again.code.dotted, again.opt.etag, again.payload) == ("2.03", first.opt.etag, b"")
    serving.lamp.add_event("rang", {})
    changed = await serving.ask(GET, LAMP, etags=[first.opt.etag])
    assert (changed.code.dotted, changed.opt.etag != first.opt.etag) == ("2.05", True)


async def test_a_value_that_is_read_is_not_for_caches(serving: Serving) -> None:
    assert (await serving.ask(GET, f"{LAMP}/properties/level")).opt.max_age == 0


async def test_the_td_has_forms_for_the_thing_as_a_whole(serving: Serving) -> None:
    forms = json.loads((await serving.ask(GET, LAMP)).payload)["forms"]
    assert [(form["op"], form["cov:method"]) for form in forms] == [
        (["readallproperties"], "GET"),
        (["writemultipleproperties"], "PUT"),
    ]

"""Properties and actions: codes, content formats and refusals."""

import asyncio
import json
import logging
from typing import Any

import cbor2
import pytest
from aiocoap import DELETE, FETCH, GET, POST, PUT, Message

from servient.bindings.coap.answers import error_answer
from servient.errors import ActionFailed, Busy, ServientError
from servient.wot.content import Content
from tests.bindings.coap.serving import JSON, LAMP, Serving, problem_of, serve

PNG, OCTETS, TEXT, CBOR, UNKNOWN = 23, 42, 0, 60, 64999


async def test_reading(serving: Serving) -> None:
    response = await serving.ask(GET, f"{LAMP}/properties/level")
    assert response.code.dotted == "2.05"
    assert response.opt.content_format == JSON
    assert response.payload == b"3"


async def test_writing(serving: Serving) -> None:
    response = await serving.ask(PUT, f"{LAMP}/properties/level", b"80")
    assert response.code.dotted == "2.04"
    assert (response.payload, response.opt.content_format) == (b"", None)
    assert await serving.lamp.read_property("level") == 80


async def test_invoking(serving: Serving) -> None:
    response = await serving.ask(POST, f"{LAMP}/actions/double", b'{"number": 21}')
    assert response.code.dotted == "2.04"
    assert (response.payload, response.opt.content_format) == (b"42", JSON)
    assert await serving.lamp.read_property("double_result") == 42


async def test_neither_input_nor_output(serving: Serving) -> None:
    response = await serving.ask(POST, f"{LAMP}/actions/toggle")
    assert response.code.dotted == "2.04"
    assert (response.payload, response.opt.content_format) == (b"", None)


async def test_a_body_without_content_format_is_json(serving: Serving) -> None:
    path = f"{LAMP}/actions/double"
    response = await serving.ask(POST, path, b'{"number": 1}', content_format=None)
    assert response.payload == b"2"


async def test_a_file_is_bytes_of_its_own_format(serving: Serving) -> None:
    path = f"{LAMP}/actions/invert"
    response = await serving.ask(POST, path, b"\x00\x01\xff", content_format=PNG)
    assert response.code.dotted == "2.04"
    assert (response.payload, response.opt.content_format) == (b"\xff\xfe\x00", PNG)


async def test_a_type_without_number_goes_as_bytes(serving: Serving) -> None:
    serving.lamp.set_property("picture", Content(b"film", "video/mp4"))
    response = await serving.ask(GET, f"{LAMP}/properties/picture")
    assert (response.payload, response.opt.content_format) == (b"film", OCTETS)
    serving.lamp.set_property("picture", Content(b"{}", "application/x+json"))
    response = await serving.ask(GET, f"{LAMP}/properties/picture")
    assert (response.payload, response.opt.content_format) == (b"{}", JSON)


@pytest.mark.parametrize(
    ("accept", "payload"),
    [(None, b"abc"), (PNG, b"abc"), (OCTETS, b"abc"), (JSON, b'"YWJj"')],
)
async def test_a_file_comes_as_it_is_accepted(
    serving: Serving, accept: int | None, payload: bytes
) -> None:
    serving.lamp.set_property("picture", Content(b"abc", "image/png"))
    response = await serving.ask(GET, f"{LAMP}/properties/picture", accept=accept)
    assert (response.payload, response.opt.content_format) == (payload, accept or PNG)


async def test_what_is_not_acceptable_is_not_run(serving: Serving) -> None:
    path = f"{LAMP}/actions/double"
    response = await serving.ask(POST, path, b'{"number": 2}', accept=PNG)
    assert problem_of(response)[0] == "4.06"
    response = await serving.ask(GET, f"{LAMP}/properties/double_result")
    assert problem_of(response)[0] == "4.04"
    assert problem_of(await serving.ask(GET, LAMP, accept=CBOR))[0] == "4.06"


async def test_numbers_come_and_go_in_cbor_and_text(serving: Serving) -> None:
    path = f"{LAMP}/actions/double"
    payload = cbor2.dumps({"number": 21})
    response = await serving.ask(POST, path, payload, content_format=CBOR, accept=CBOR)
    assert (response.opt.content_format, cbor2.loads(response.payload)) == (CBOR, 42)
    level = f"{LAMP}/properties/level"
    assert (await serving.ask(PUT, level, b"55", content_format=TEXT)).code.dotted == "2.04"
    response = await serving.ask(GET, level, accept=TEXT)
    assert (response.opt.content_format, response.payload) == (TEXT, b"55")


@pytest.mark.parametrize(
    ("code", "path", "payload", "options", "dotted"),
    [
        (POST, "/actions/double", b'{"number": "x"}', {}, "4.00"),
        (POST, "/actions/double", b"{", {}, "4.00"),
        (POST, "/actions/double", b"\xff\xfe", {}, "4.00"),
        (POST, "/actions/double", b"", {}, "4.00"),
        (POST, "/actions/double", b"NaN", {}, "4.00"),
        (PUT, "/properties/level", b"101", {}, "4.00"),
        (GET, "/properties/colour", b"", {}, "4.04"),
        (GET, "/properties/double_result", b"", {}, "4.04"),
        (GET, "/colours/level", b"", {}, "4.04"),
        (POST, "/properties", b"", {}, "4.05"),
        (PUT, "/properties", b"[1]", {}, "4.00"),
        (GET, "/actions/double/7", b"", {}, "4.04"),
        (POST, "/actions/double/7", b"", {}, "4.04"),
        (GET, "/properties/level/x", b"", {}, "4.04"),
        (GET, "-2/properties/level", b"", {}, "4.04"),
        (POST, "/actions/explode", b"", {}, "4.04"),
        (PUT, "/properties/serial", b'"x"', {}, "4.05"),
        (POST, "/properties/level", b"1", {}, "4.05"),
        (DELETE, "/properties/level", b"", {}, "4.05"),
        (FETCH, "/properties/level", b"1", {}, "4.05"),
        (GET, "/actions/double", b"", {}, "4.05"),
        (GET, "/events/toggled", b"", {}, "4.05"),
        (POST, "", b"1", {}, "4.05"),
        (POST, "/actions/double", b"1", {"content_format": TEXT}, "4.00"),
        (POST, "/actions/double", b"\xa0", {"content_format": CBOR}, "4.00"),
        (POST, "/actions/double", b"x", {"content_format": UNKNOWN}, "4.15"),
        (POST, "/actions/double", b"x", {"content_format": 11050}, "4.15"),
        (POST, "/actions/echo", b"x", {"content_format": PNG}, "4.15"),
        (GET, "/properties/level", b"", {"if_match": [b"x"]}, "4.02"),
        (PUT, "/properties/level", b"1", {"if_none_match": True}, "4.02"),
        (GET, "/properties/level", b"", {"block2": (0, False, 7)}, "4.00"),
    ],
)
async def test_refusals(
    serving: Serving, code: Any, path: str, payload: bytes, options: dict[str, Any], dotted: str
) -> None:
    response = await serving.ask(code, LAMP + path, payload, **options)
    got, problem = problem_of(response)
    assert got == dotted
    assert problem["status"] == int(dotted.replace(".", "")) if dotted != "4.02" else 400


async def test_a_proxy_is_not_here(serving: Serving) -> None:
    with serving.peer() as peer:
        response = await peer.ask(GET, "/x", proxy_uri="coap://example.org/")
        assert problem_of(response)[0] == "5.05"


async def test_a_fault_is_named(serving: Serving) -> None:
    response = await serving.ask(POST, f"{LAMP}/actions/double", b'{"number": "x"}')
    _, problem = problem_of(response)
    assert problem["errors"][0]["pointer"] == "/number"
    assert problem["instance"] == f"{LAMP}/actions/double"


async def test_failures_of_actions(serving: Serving, caplog: pytest.LogCaptureFixture) -> None:
    async def fail(error: Exception) -> Message:
        async def handler(_: Any) -> None:
            raise error

        serving.lamp.set_action_handler("toggle", handler)
        return await serving.ask(POST, f"{LAMP}/actions/toggle")

    assert problem_of(await fail(Busy("too much at once")))[0] == "5.03"
    assert problem_of(await fail(ActionFailed("no bulb")))[0] == "5.00"
    code, problem = problem_of(await fail(ValueError("broken")))
    assert (code, problem["status"]) == ("5.00", 500)
    assert "broken" in problem["detail"]


async def test_a_deadline_has_its_code() -> None:
    async with serve(deadline_seconds=0.05) as serving:
        serving.lamp.set_action_handler("toggle", lambda _: asyncio.Event().wait())
        response = await serving.ask(POST, f"{LAMP}/actions/toggle")
        assert problem_of(response)[0] == "5.04"


async def test_a_bug_in_a_handler_is_logged_and_not_told(
    serving: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    async def read() -> None:
        raise RuntimeError("the secret of the house")

    serving.lamp.set_property_read_handler("level", read)
    code, problem = problem_of(await serving.ask(GET, f"{LAMP}/properties/level"))
    assert code == "5.00"
    assert "secret" not in json.dumps(problem)
    (record,) = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert record.exc_info


async def test_a_value_that_is_no_json(serving: Serving) -> None:
    serving.lamp.set_property("level", float("nan"))
    response = await serving.ask(GET, f"{LAMP}/properties/level")
    assert problem_of(response)[0] == "5.00"


async def test_whatever_wotpy_programs_expose(serving: Serving) -> None:
    """A Thing is served from when it is exposed until it is destroyed, and not a moment longer."""
    thing = serving.wot.produce({**serving.lamp.description.document, "title": "T", "id": "urn:t"})
    thing.set_property("level", 7)
    path = f"/things/{thing.name}/properties/level"
    assert problem_of(await serving.ask(GET, path))[0] == "4.04"
    thing.expose()
    assert (await serving.ask(GET, path)).payload == b"7"
    thing.destroy()
    assert problem_of(await serving.ask(GET, path))[0] == "4.04"


def test_every_status_has_a_code() -> None:
    statuses = {error.status for error in _all(ServientError)}
    for error in _all(ServientError):
        assert not error_answer(error("x")).code.is_successful()
    assert statuses >= {400, 404, 500}


def _all(error: type[ServientError]) -> set[type[ServientError]]:
    return {error}.union(*(_all(kind) for kind in error.__subclasses__()))

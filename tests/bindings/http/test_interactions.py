"""Properties and actions as a client of HTTP sees them."""

import asyncio
import base64
import json
from typing import Any

import cbor2
import httpx
import pytest

from servient.wot.content import Content
from servient.wot.operations import AffordanceKind
from tests.bindings.http.serving import LAMP, Serving, is_problem, serve

LEVEL = f"{LAMP}/properties/level"
DOUBLE = f"{LAMP}/actions/double"
INVERT = f"{LAMP}/actions/invert"


async def test_a_property_is_read_and_written(serving: Serving) -> None:
    read = await serving.get(LEVEL)
    assert (read.status_code, read.headers["content-type"], read.text) == (
        200,
        "application/json",
        "3",
    )
    written = await serving.send("PUT", LEVEL, json=55)
    assert (written.status_code, written.content) == (204, b"")
    assert (await serving.get(LEVEL)).json() == 55


async def test_a_file_is_read_as_what_it_is(serving: Serving) -> None:
    serving.lamp.set_property("picture", Content(b"\x89PNG\r\n", "image/png"))
    read = await serving.get(f"{LAMP}/properties/picture")
    assert (read.headers["content-type"], read.content) == ("image/png", b"\x89PNG\r\n")


async def test_head_says_what_get_would(serving: Serving) -> None:
    head = await serving.send("HEAD", LEVEL)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == "1"
    assert (await serving.send("HEAD", f"{LAMP}/properties/none")).status_code == 404


async def test_an_action_answers_with_its_output(serving: Serving) -> None:
    answer = await serving.send("POST", DOUBLE, json={"number": 21})
    assert (answer.status_code, answer.json()) == (200, 42)
    assert (await serving.get(f"{LAMP}/properties/double_result")).json() == 42


async def test_an_action_without_output_answers_without_content(serving: Serving) -> None:
    answer = await serving.send("POST", f"{LAMP}/actions/toggle")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-type" not in answer.headers


async def test_a_charset_is_no_other_media_type(serving: Serving) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    answer = await serving.send("POST", DOUBLE, content=b'{"number":1}', headers=headers)
    assert answer.json() == 2


async def test_a_body_without_a_type_is_json(serving: Serving) -> None:
    assert (await serving.send("POST", DOUBLE, content=b'{"number":1}')).json() == 2


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"number":NaN}', "application/json", 400),
        (b'{"number":1e999}', "application/json", 400),
        (b'{"number":"\xff"}', "application/json", 400),
        (b'{"number":"one"}', "application/json", 400),
        (b"[" * 200_000, "application/json", 400),
        (b"", "application/json", 400),
        (b"number=1", "application/x-www-form-urlencoded", 415),
        (b"\x89PNG", "image/png", 415),
        (b"garbage", "multipart/form-data; boundary=x", 400),
        (b"garbage", "multipart/form-data", 400),
    ],
)
async def test_a_bad_input_is_a_problem(
    serving: Serving, body: bytes, media_type: str, status: int
) -> None:
    answer = await serving.send("POST", DOUBLE, content=body, headers={"Content-Type": media_type})
    assert is_problem(answer, status)
    assert answer.json()["instance"] == DOUBLE


async def test_invalid_input_is_pointed_at(serving: Serving) -> None:
    problem = (await serving.send("POST", DOUBLE, json={"number": "x"})).json()
    assert problem["errors"][0]["pointer"] == "/number"


async def test_a_failing_action_is_a_problem(serving: Serving) -> None:
    answer = await serving.send("POST", DOUBLE, json={"number": -1})
    assert is_problem(answer, 500)
    assert "negative numbers" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", DOUBLE, "OPTIONS, POST"),
        ("POST", LEVEL, "GET, HEAD, OPTIONS, PUT"),
        ("DELETE", LAMP, "GET, HEAD, OPTIONS"),
        # The path offers PUT, this property does not.
        ("PUT", f"{LAMP}/properties/serial", "GET, HEAD, OPTIONS"),
        ("POST", f"{LAMP}/events/toggled", "GET, HEAD, OPTIONS"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(
    serving: Serving, method: str, path: str, allowed: str
) -> None:
    answer = await serving.send(method, path, json=1)
    assert is_problem(answer, 405)
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nothing",
        "/things/",
        "/things/none",
        "/things/none/properties/level",
        f"{LAMP}/properties/none",
        f"{LAMP}/properties/",
        f"{LAMP}/colours/level",
        f"{LAMP}/properties/level/",
        f"{LAMP}/properties/level/nothing",
        f"{LAMP}/properties/double_result",  # no value yet
        f"{LAMP}/events/none",
        f"{LAMP}/properties/none/observe",
    ],
)
async def test_what_is_not_there_is_not_found(serving: Serving, path: str) -> None:
    assert is_problem(await serving.get(path), 404)


async def test_browsers_of_other_origins_may_ask(serving: Serving) -> None:
    preflight = await serving.send(
        "OPTIONS",
        DOUBLE,
        headers={"Origin": "http://gui.example", "Access-Control-Request-Method": "POST"},
    )
    assert preflight.status_code == 204
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "Content-Type" in preflight.headers["access-control-allow-headers"]
    for answer in (preflight, await serving.get(LEVEL), await serving.get("/nothing")):
        assert answer.headers["access-control-allow-origin"] == "*"


async def test_files_come_in_three_ways(serving: Serving) -> None:
    image, inverted = b"\x00\x01\xff", b"\xff\xfe\x00"
    ways: list[dict[str, Any]] = [
        {"content": image, "headers": {"Content-Type": "image/png"}},
        {"json": {"image": base64.b64encode(image).decode()}},
        {"files": {"image": ("../../etc/passwd", image, "image/png")}},
        {"files": {"image": ("blob", image, "application/octet-stream")}},
        {"files": {"image": (None, image, "image/png")}},
    ]
    for way in ways:
        answer = await serving.send("POST", INVERT, **way)
        assert (answer.headers["content-type"], answer.content) == ("image/png", inverted), way


async def test_fields_of_a_form_are_read_as_the_schema_says(serving: Serving) -> None:
    form = {"number": (None, "21")}
    assert (await serving.send("POST", DOUBLE, files=form)).json() == 42
    typed = {"number": (None, b" 21 ", "application/json")}
    assert (await serving.send("POST", DOUBLE, files=typed)).json() == 42
    assert is_problem(await serving.send("POST", DOUBLE, files={"number": (None, "x")}), 400)
    binary = {"number": (None, b"\xff", "text/plain")}
    assert is_problem(await serving.send("POST", DOUBLE, files=binary), 400)


async def test_a_body_over_the_limit_is_refused() -> None:
    async with serve(body_limit_bytes=1000) as serving:
        fits = await serving.send("POST", DOUBLE, content=b'{"number":1}'.ljust(1000))
        assert fits.json() == 2
        large = b'{"number":1}'.ljust(1001)
        assert is_problem(await serving.send("POST", DOUBLE, content=large), 413)

        async def chunks() -> Any:
            for _ in range(3):
                yield large[:400]

        assert is_problem(await serving.send("POST", DOUBLE, content=chunks()), 413)
        form = {"number": (None, "1" * 1000)}
        assert is_problem(await serving.send("POST", DOUBLE, files=form), 413)


async def test_large_bodies_pass_in_both_directions(serving: Serving) -> None:
    image = bytes(range(256)) * 4 * 4096
    answer = await serving.send(
        "POST", INVERT, content=image, headers={"Content-Type": "image/png"}
    )
    assert answer.content == bytes(255 - byte for byte in image)
    form = {"image": ("blob", image, "image/png")}
    assert (await serving.send("POST", INVERT, files=form)).content == answer.content


async def test_a_client_that_leaves_does_not_stop_the_invocation(serving: Serving) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    async def double(value: Any) -> Any:
        started.set()
        await go_on.wait()
        return value["number"] * 2

    serving.lamp.set_action_handler("double", double)
    _, writer = await asyncio.open_connection("127.0.0.1", serving.binding.port)
    body = json.dumps({"number": 4}).encode()
    writer.write(b"POST %b HTTP/1.1\r\nHost: x\r\n" % DOUBLE.encode())
    writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    await started.wait()
    before = asyncio.all_tasks()
    writer.close()
    # The request's own task ends, though the action goes on.
    while len(asyncio.all_tasks() & before) == len(before):
        await asyncio.sleep(0.02)
    assert serving.lamp.value_of("double_result") is None
    changed = serving.lamp.publisher.subscribe(AffordanceKind.PROPERTY, "double_result")
    go_on.set()
    assert (await anext(changed)).value == 8
    changed.close()


async def test_it_listens_on_ipv6() -> None:
    async with serve(host="::1") as serving:
        assert serving.binding.origin == f"http://[::1]:{serving.binding.port}"
        assert (await serving.get(LEVEL)).json() == 3
        td: Any = (await serving.get(LAMP)).json()
        href = td["properties"]["level"]["forms"][0]["href"]
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(href)).json() == 3


async def test_an_interaction_is_carried_in_the_media_type_that_is_accepted(
    serving: Serving,
) -> None:
    headers = {"Content-Type": "application/cbor", "Accept": "application/cbor"}
    body = cbor2.dumps({"number": 21})
    answer = await serving.send("POST", DOUBLE, content=body, headers=headers)
    assert (answer.headers["content-type"], cbor2.loads(answer.content)) == ("application/cbor", 42)
    headers = {"Content-Type": "text/plain"}
    assert (await serving.send("PUT", LEVEL, content=b"12", headers=headers)).status_code == 204
    text = await serving.get(LEVEL, headers={"Accept": "text/plain"})
    assert (text.headers["content-type"], text.text) == ("text/plain", "12")
    assert is_problem(await serving.get(LEVEL, headers={"Accept": "image/png"}), 406)

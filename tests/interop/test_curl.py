"""curl, as people use it, against our HTTP binding."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from servient.bindings.http.binding import HttpBinding
from tests.interop.programs import Ended, line_of, lines_of, run, running
from tests.interop.serving import Lamp, serving
from tests.tools import needs

IMAGE = bytes(range(256))
INVERTED = bytes(255 - byte for byte in IMAGE)
REFUSED = 22  # curl's exit code for a status of 400 or more, where it is told to look


@pytest.fixture
async def lamp() -> AsyncIterator[Lamp]:
    async with serving(HttpBinding("127.0.0.1", "127.0.0.1", 0)) as lamp:
        yield lamp


@pytest.fixture
def image(tmp_path: Path) -> Path:
    file = tmp_path / "image.png"
    file.write_bytes(IMAGE)
    return file


async def curl(*arguments: str, given: bytes = b"") -> Ended:
    return await run(needs("curl"), "--silent", "--show-error", *arguments, given=given)


async def posted(lamp: Lamp, action: str, body: str, *arguments: str) -> Ended:
    return await curl("--data", body, *arguments, lamp.href("actions", action))


AS_JSON = ("--header", "Content-Type: application/json")


async def test_reads_writes_and_invokes(lamp: Lamp) -> None:
    level = lamp.href("properties", "level")
    assert (await curl(level)).text == "3"
    written = await curl(
        "--request", "PUT", "--data", "4", *AS_JSON, "--write-out", "%{http_code}", level
    )
    assert written.text == "204"
    assert (await curl(level)).text == "4"
    assert (await posted(lamp, "double", '{"number": 21}', *AS_JSON)).text == "42"
    toggled = await curl("--request", "POST", "--include", lamp.href("actions", "toggle"))
    assert toggled.text.startswith("HTTP/1.1 204 ")


async def test_reads_the_td(lamp: Lamp) -> None:
    url = lamp.href("properties", "level").partition("/properties/")[0]
    assert json.loads((await curl(url)).text) == lamp.td
    head = (await curl("--head", url)).text.lower()
    assert head.startswith("http/1.1 200 ")
    assert "content-type: application/td+json" in head


async def test_json_without_its_content_type_is_refused_with_the_reason(lamp: Lamp) -> None:
    """curl calls it a form, which its user did not mean."""
    answer = await posted(lamp, "double", '{"number": 21}')
    problem = json.loads(answer.text)
    assert problem["status"] in (400, 415)
    assert problem["detail"]


@pytest.mark.parametrize("way", ["json", "form", "bytes"])
async def test_sends_a_file(lamp: Lamp, image: Path, way: str) -> None:
    arguments = {
        "json": ("--json", json.dumps({"image": base64.b64encode(IMAGE).decode()})),
        "form": ("--form", f"image=@{image};type=image/png"),
        "bytes": ("--data-binary", f"@{image}", "--header", "Content-Type: image/png"),
    }
    answer = await curl(*arguments[way], lamp.href("actions", "invert"))
    # With --json, curl accepts nothing else: a file is base64 in it.
    in_json = json.dumps(base64.b64encode(INVERTED).decode()).encode()
    assert answer.output == (in_json if way == "json" else INVERTED)


async def test_sends_a_file_of_unknown_length(lamp: Lamp) -> None:
    answer = await curl(
        *("--upload-file", "-", "--request", "POST", "--header", "Content-Type: image/png"),
        lamp.href("actions", "invert"),
        given=IMAGE * 4000,
    )
    assert answer.output == INVERTED * 4000


async def test_a_refusal_ends_it_with_the_reason(lamp: Lamp) -> None:
    refused = await posted(lamp, "double", '{"number": "x"}', *AS_JSON, "--fail-with-body")
    assert refused.code == REFUSED
    problem: dict[str, Any] = json.loads(refused.text)
    assert (problem["status"], problem["errors"][0]["pointer"]) == (400, "/number")


@pytest.mark.parametrize(
    "path", ["/things/../../etc/passwd", "/things/%2e%2e/properties/level", "/things/lamp:1/../x"]
)
async def test_paths_lead_nowhere_else(lamp: Lamp, path: str) -> None:
    origin = lamp.href("properties", "level").partition("/things/")[0]
    answer = await curl("--path-as-is", origin + path)
    assert json.loads(answer.text)["status"] == 404


@pytest.mark.parametrize("version", ["--http1.0", "--http2"])
async def test_other_versions_of_http(lamp: Lamp, version: str) -> None:
    """HTTP/2 is asked for by an upgrade, which is not taken up."""
    assert (await curl(version, lamp.href("properties", "level"))).text == "3"


async def test_several_requests_on_one_connection(lamp: Lamp) -> None:
    level = lamp.href("properties", "level")
    answer = await curl("--write-out", "/%{num_connects} ", level, level, level)
    assert answer.text == "3/1 3/0 3/0 "


async def test_follows_an_event_stream(lamp: Lamp) -> None:
    url = lamp.href("properties", "level") + "/observe"
    command = (needs("curl"), "--silent", "--no-buffer", "--header", "Accept: text/event-stream")
    async with running(*command, url) as output:
        first = asyncio.create_task(line_of(output), name="first line of the stream")
        while not first.done():  # curl does not say when its request has been answered
            await lamp.thing.write_property("level", 5)
            await asyncio.wait([first], timeout=0.02)
        assert await first == "event: level"
        await lamp.thing.write_property("level", 6)
        lamp.thing.destroy()
        lines = [line async for line in lines_of(output)]
    assert [line for line in lines if line.startswith(("event", "data"))][-3:] == [
        "data: 5",
        "event: level",
        "data: 6",
    ]


async def test_polls_for_an_event(lamp: Lamp) -> None:
    """HEAD asks whether there is something to wait for; what comes after it is not missed."""
    url = lamp.href("events", "toggled")
    assert (await curl("--head", "--fail", url)).code == 0
    for value in ("true", "false"):
        await curl("--request", "POST", lamp.href("actions", "toggle"))
        assert (await curl("--max-time", "20", url)).text == value

"""Things invoked, read, written and observed by commands, over each of the wires."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from servient.app import App
from servient.cli.options import Protocol
from servient.wot.content import Content
from servient.wot.thing import ExposedThing
from tests.cli.command import command
from tests.cli.conftest import Run
from tests.things import expose_lamp

IMAGE = bytes(range(256))
LAMP = "lamp:1"


@pytest.fixture(autouse=True)
def lamp(app: App) -> ExposedThing:
    return expose_lamp(app.wot)


@pytest.fixture(params=list(Protocol))
def over(request: pytest.FixtureRequest) -> tuple[str, str]:
    return ("--protocol", str(request.param))


async def test_a_story_over_each_wire(over: tuple[str, str], run: Run, tmp_path: Path) -> None:
    assert (await run("invoke", LAMP, "double", "number=21", *over)).json == 42
    assert (await run("read", LAMP, "double_result", *over)).json == 42
    assert (await run("read", LAMP, "serial", *over)).json == "4711"
    assert (await run("write", LAMP, "level", "7", "--json", *over)).json == {"level": 7}
    assert (await run("read", LAMP, "level", *over)).json == 7
    done = await run("invoke", LAMP, "toggle", *over)
    assert (done.code, done.out) == (0, "")
    (tmp_path / "in.png").write_bytes(IMAGE)
    result = tmp_path / "out.png"
    image = ("--file", f"image={tmp_path / 'in.png'}", "-o", str(result))
    ended = await run("invoke", LAMP, "invert", *image, *over)
    assert (ended.code, ended.out) == (0, ""), ended.err
    assert result.read_bytes() == bytes(255 - each for each in IMAGE)
    assert "256 bytes of image/png" in ended.err
    # and what is refused
    (await run("invoke", LAMP, "double", '{"number": "x"}', *over)).failed(1, "/number")
    (await run("invoke", LAMP, "double", "number=-1", *over)).failed(1, "double")
    (await run("write", LAMP, "level", "101", *over)).failed(1, "101")
    (await run("read", LAMP, "picture", *over)).failed(1, "no value yet")


async def test_observing_over_each_wire(
    over: tuple[str, str], run: Run, lamp: ExposedThing
) -> None:
    number = 0
    for words in (["level"], ["toggled", "--event"]):
        observing = asyncio.create_task(run("observe", LAMP, *words, "-n", "3", *over))
        while not observing.done():
            number = (number + 1) % 100
            lamp.set_property("level", number)
            lamp.emit_event("toggled", number % 2 == 0)
            await asyncio.sleep(0.02)
        ended = await observing
        assert ended.code == 0, ended.err
        assert len([json.loads(line) for line in ended.out.splitlines()]) == 3


async def test_files_where_there_is_no_terminal(run: Run, tmp_path: Path, app: App) -> None:
    (tmp_path / "in.png").write_bytes(IMAGE)
    inverted = bytes(255 - each for each in IMAGE)
    path = str(tmp_path / "in.png")
    assert (await run("invoke", LAMP, "invert", f"@{path}")).raw == inverted
    assert (await run("invoke", LAMP, "invert", f"image=@{path}")).raw == inverted
    assert (await run("invoke", LAMP, "invert", "-", stdin=IMAGE)).raw == inverted
    as_json = (await run("invoke", LAMP, "invert", "-", "--json", stdin=IMAGE)).json
    assert base64.b64decode(as_json) == inverted
    ended = await run("invoke", LAMP, "invert", "-", "-o", str(tmp_path / "no" / "x"), stdin=IMAGE)
    ended.failed(1, "cannot write")


async def test_inputs_in_every_way(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text('{"number": 4}')
    for words in (["number=4"], ["4"], ['{"number": 4}'], [f"@{tmp_path / 'in.json'}"]):
        assert (await run("invoke", LAMP, "double", *words)).json == 8
    assert (await run("invoke", LAMP, "double", "-", stdin=b'{"number": 4}')).json == 8
    assert (await run("invoke", LAMP, "echo", "a=1", "b=x=y", "c=true", "d=[1]")).json == {
        "a": 1,
        "b": "x=y",
        "c": True,
        "d": [1],
    }


NO_INPUTS = [
    (["number=x"], "number: 'x' is not an integer"),
    (["1", "2"], "'2' is one input too many: this takes number=…"),
    (["{"], "not JSON"),
    (["@no-such-file"], "cannot read no-such-file"),
    (["--file", "x"], "'x' is not name=path"),
    (["--file", "x=no-such-file"], "cannot read no-such-file"),
]


async def test_inputs_that_are_none(run: Run) -> None:
    for words, said in NO_INPUTS:
        (await run("invoke", LAMP, "double", *words)).failed(2, said)


async def test_a_thing_goes_by_many_names(run: Run, app: App, tmp_path: Path) -> None:
    url = f"{app.addresses()['http']}/things/{LAMP}"
    coap = f"{app.addresses()['coap']}/things/{LAMP}"
    file = tmp_path / "lamp.json"
    assert (await run("td", LAMP, "-o", str(file))).code == 0
    for name in (LAMP, "urn:test:lamp:1", "Lamp lamp:1", "LAMP", "lamp", url, coap, str(file)):
        assert (await run("td", name)).json["id"] == "urn:test:lamp:1", name
        assert (await run("invoke", name, "double", "1")).json == 2, name
    expose_lamp(app.wot, "lamp:2")
    (await run("td", "lamp")).failed(2, "lamp:1, lamp:2")
    (await run("td", "lamq:1")).failed(1, "no Thing 'lamq:1'", "lamp:1")
    (await run("td", "")).failed(1, "no Thing ''")


async def test_what_there_is_not(run: Run, app: App) -> None:
    (await run("invoke", LAMP, "doubel")).failed(1, "no action 'doubel'; it has: double")
    (await run("read", LAMP, "lewel")).failed(1, "no property 'lewel'; it has: level")
    (await run("observe", LAMP, "level", "--event")).failed(1, "no event 'level'")
    (await run("observe", LAMP, "serial")).failed(2, "does not offer this")
    (await run("write", LAMP, "serial", "x")).failed(2, "does not offer this")
    (await run("invoke", LAMP, "double", "1", "--async", "-p", "mqtt")).failed(2, "--async")
    (await run("td", f"{app.addresses()['http']}/nothing")).failed(1, "404")
    (await run("td", f"{app.addresses()['http']}/health/live")).failed(1, "no Thing Description")


async def test_things_as_a_list(run: Run) -> None:
    listed = (await run("things", "--json")).json
    assert {each["name"] for each in listed} == {"servient", LAMP}
    found = next(each for each in listed if each["name"] == LAMP)
    assert found["actions"] == ["double", "toggle", "echo", "invert"]
    lines = (await run("things")).out.splitlines()
    assert lines[0].split() == ["NAME", "TITLE", "ACTIONS", "PROPERTIES"]
    assert any(line.startswith("lamp:1 ") and "double, toggle" in line for line in lines)


async def test_many_things_come_in_pages(run: Run, app: App, monkeypatch: Any) -> None:
    monkeypatch.setattr("servient.cli.remote.PAGE_THINGS", 3)
    for number in range(2, 12):
        expose_lamp(app.wot, f"lamp:{number}")
    names = [each["name"] for each in (await run("things", "--json")).json]
    assert len(names) == len(set(names)) == 12


async def test_what_a_servient_sends_does_nothing_to_the_terminal(run: Run, app: App) -> None:
    nasty = "\x1b]0;owned\x07[red]\u202e\x9b31m"
    thing = expose_lamp(app.wot, "lamp:2")
    thing.set_property("serial", nasty)
    for words in (["read", "lamp:2", "serial"], ["observe", "lamp:2", "serial"], ["things"]):
        ended = await run(*words)
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(ended.out + ended.err)
    assert (await run("read", "lamp:2", "serial")).json == nasty
    (await run("invoke", "lamp:2", "double", f'{{"number": {json.dumps(nasty)}}}')).failed(1)


async def test_an_invocation_that_is_not_waited_for(run: Run, app: App) -> None:
    started = asyncio.Event()

    async def forever(_: Any) -> None:
        started.set()
        await asyncio.Event().wait()

    thing = app.servient.exposed(LAMP)
    thing.set_action_handler("echo", forever)
    started_one = (await run("invoke", LAMP, "echo", "a=1", "--async")).json
    assert started_one.startswith("lamp:1:echo:")
    await started.wait()
    (listed,) = (await run("invocations", "lamp", "--status", "running", "--json")).json
    assert (listed["id"], listed["status"]) == (started_one, "running")
    assert (await run("cancel", started_one, "--json")).json == {"id": started_one}
    (listed,) = (await run("invocations", LAMP, "--json")).json
    assert listed["status"] == "failed"
    assert started_one in (await run("invocations")).out
    whole = (await run("invoke", LAMP, "double", "1", "--async", "--json")).json
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(whole["href"])).status_code == 200
    (await run("cancel", "nonsense")).failed(2, "no id of an invocation")
    (await run("cancel", "lamp:1:echo:99999")).failed(1, "no invocation")


async def test_results_are_files_or_text(run: Run, app: App) -> None:
    thing = app.servient.exposed(LAMP)
    thing.set_property("picture", Content(IMAGE, "image/png"))
    assert (await run("read", LAMP, "picture")).raw == IMAGE
    line = await command(
        "observe", LAMP, "picture", "-n", "1", "-p", "coap", "--url", app.addresses()["http"]
    )
    assert base64.b64decode(json.loads(line.out)) == IMAGE

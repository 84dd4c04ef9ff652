"""WoTPy's programs as consumers, through the corrected clients: one story over every protocol."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self

import pytest

from servient.app import App
from servient.clients.coap import CoapClient
from servient.clients.errors import InteractionRefused
from servient.clients.http import HttpClient
from servient.clients.mqtt import MqttClient
from servient.clients.websocket import WebSocketClient
from servient.wot.content import Content
from servient.wot.entry import WoT
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing
from tests.files import FileServer
from tests.things import expose_lamp

DEADLINE_SECONDS = 20.0
IMAGE = bytes(range(256)) * 8
END = object()

CLIENTS: dict[str, Callable[[], Any]] = {
    "http": HttpClient,
    "websocket": WebSocketClient,
    "coap": CoapClient,
    "mqtt": MqttClient,
}


@dataclass(frozen=True, slots=True)
class Program:
    """A consumer: WoTPy's `wot`, with one client."""

    app: App
    wot: WoT

    def consume(self, thing: ExposedThing) -> Any:
        return self.wot.consume(json.dumps(self.app.servient.td(thing)))


@pytest.fixture(params=CLIENTS)
async def program(request: pytest.FixtureRequest, app: App) -> AsyncIterator[Program]:
    client = CLIENTS[request.param]()
    yield Program(app, WoT(Servient(clients=[client])))
    await client.close()


@pytest.fixture
def exposed(app: App) -> ExposedThing:
    return expose_lamp(app.wot)


@pytest.fixture
def lamp(program: Program, exposed: ExposedThing) -> Any:
    return program.consume(exposed)


class Heard:
    """What an observable says until the block ends."""

    def __init__(self, observable: Any) -> None:
        self._items: asyncio.Queue[Any] = asyncio.Queue()
        self._subscription = observable.subscribe(
            on_next=lambda event: self._items.put_nowait(event.data),
            on_error=self._items.put_nowait,
            on_completed=lambda: self._items.put_nowait(END),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._subscription.dispose()

    async def after(self, act: Callable[[], Awaitable[Any]]) -> Any:
        """The first item; observables do not say when they have begun, so act until there is one."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while self._items.empty():
                await act()
                await asyncio.sleep(0.01)
        return self._items.get_nowait()

    async def until(self, wanted: Callable[[Any], bool]) -> Any:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not wanted(item := await self._items.get()):
                pass
        return item


async def test_results_are_what_they_are(lamp: Any, exposed: ExposedThing) -> None:
    results: list[Any] = [
        0,
        -1.5,
        True,
        False,
        None,
        "",
        "an error occurred",
        [],
        [None],
        {"error": "is only a member"},
        {"result": 1, "id": 2, "jsonrpc": "2.0"},
    ]
    for result in results:
        exposed.set_action_handler("toggle", lambda _, result=result: result)
        got = await lamp.invoke_action("toggle")
        assert (type(got), got) == (type(result), result)


async def test_reads_writes_and_invokes(lamp: Any) -> None:
    assert await lamp.read_property("level") == 3
    await lamp.write_property("level", 0)
    assert await lamp.properties["level"].read() == 0
    settings = {"error": "a word", "id": 7}
    await lamp.properties["settings"].write(settings)
    assert await lamp.read_property("settings") == settings
    assert await lamp.actions["double"].invoke({"number": 21}) == 42


async def test_files(lamp: Any, exposed: ExposedThing) -> None:
    """Content where the protocol carries bytes, base64 where its messages are JSON."""

    def body(value: Any) -> bytes:
        return value.body if isinstance(value, Content) else base64.b64decode(value, validate=True)

    exposed.set_property("picture", Content(IMAGE, "image/png"))
    assert body(await lamp.read_property("picture")) == IMAGE
    given = {"image": base64.b64encode(IMAGE).decode()}
    inverted = await lamp.invoke_action("invert", given)
    assert body(inverted) == bytes(255 - byte for byte in IMAGE)


async def test_refusals_are_exceptions_with_the_problem(lamp: Any) -> None:
    async def refusal(work: Any) -> dict[str, Any]:
        with pytest.raises(InteractionRefused) as refused:
            await work
        assert refused.value.status == refused.value.problem["status"]
        return refused.value.problem

    problem = await refusal(lamp.invoke_action("double", {"number": "many"}))
    assert (problem["status"], problem["errors"][0]["pointer"]) == (400, "/number")
    assert (await refusal(lamp.write_property("level", 101)))["status"] == 400
    problem = await refusal(lamp.invoke_action("double", {"number": -1}))
    assert "negative numbers are not for lamps" in problem["detail"]
    assert (await refusal(lamp.read_property("double_result")))["status"] == 404


async def test_observes(lamp: Any) -> None:
    with Heard(lamp.properties["level"]) as levels:
        change = await levels.after(lambda: lamp.write_property("level", 5))
        assert change.name == "level"
        assert change.value in (3, 5)
        await lamp.write_property("level", 0)
        assert (await levels.until(lambda change: change.value == 0)).name == "level"


async def test_subscribes(lamp: Any) -> None:
    with Heard(lamp.events["toggled"]) as toggles, Heard(lamp.events["double_failed"]) as failures:
        assert await toggles.after(lambda: lamp.invoke_action("toggle")) in (True, False)
        failure = await failures.after(lambda: failing(lamp))
        assert "negative numbers are not for lamps" in failure["detail"]


async def failing(lamp: Any) -> None:
    with pytest.raises(InteractionRefused):
        await lamp.invoke_action("double", {"number": -1})


async def test_hears_that_a_thing_is_gone(lamp: Any, exposed: ExposedThing) -> None:
    with Heard(lamp.properties["level"]) as levels:
        await levels.after(lambda: lamp.write_property("level", 5))
        exposed.destroy()
        end = await levels.until(lambda item: item is END or isinstance(item, Exception))
        assert end is END or end.status == 404


async def test_a_deployed_function(program: Program, app: App, files: FileServer) -> None:
    deployed = await app.deployer.deploy(files.manifest("fibonacci/manifest.json"))
    fibonacci = program.consume(app.servient.exposed(deployed.names()[0]))
    with Heard(fibonacci.properties["fibo_result"]) as results:
        await results.after(lambda: fibonacci.invoke_action("fibo", {"iterations": 7}))
        assert await fibonacci.invoke_action("fibo", {"iterations": 30}) == 1346269
        await results.until(lambda change: change.value == 1346269)
    assert await fibonacci.read_property("fibo_result") == 1346269
    with pytest.raises(InteractionRefused, match="iterations"):
        await fibonacci.invoke_action("fibo", {})

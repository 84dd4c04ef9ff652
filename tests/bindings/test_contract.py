"""One story, told over every wire by a consumer that knows nothing of this project."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from servient.app import App
from servient.config import Config
from servient.wot.thing import ExposedThing
from tests.consumers.coap import CoapConsumer
from tests.consumers.consumer import Consumer, Refused
from tests.consumers.http import HttpConsumer
from tests.consumers.mqtt import MqttConsumer
from tests.consumers.websocket import WebSocketConsumer
from tests.files import FileServer
from tests.things import expose_lamp
from tests.tools import needs

PATIENCE_SECONDS = 20.0
NEXT_SECONDS = 10.0

MakeConsumer = Callable[[dict[str, Any]], Consumer]

CONSUMERS: dict[str, MakeConsumer] = {
    "http-sse": lambda td: HttpConsumer(td, subprotocol="sse"),
    "http-longpoll": lambda td: HttpConsumer(td, subprotocol="longpoll"),
    "coap": CoapConsumer,
    "websocket-webthing": lambda td: WebSocketConsumer(td, dialect="webthingprotocol"),
    "websocket-jsonrpc": lambda td: WebSocketConsumer(td, dialect="jsonrpc"),
    "mqtt5-mosquitto": lambda td: MqttConsumer(td, version=5),
    "mqtt3-mosquitto": lambda td: MqttConsumer(td, version=4),
    "mqtt3-amqtt": lambda td: MqttConsumer(td, version=4),
}


def binding_of(wire: str) -> str:
    return "http,mqtt" if wire.startswith("mqtt") else f"{wire.partition('-')[0]},http"


@pytest.fixture(params=CONSUMERS)
def wire(request: pytest.FixtureRequest) -> str:
    if "mosquitto" in request.param:
        needs("mosquitto")
    return str(request.param)


@pytest.fixture
async def app(wire: str, settings: Callable[..., Config]) -> AsyncIterator[App]:
    broker = "amqtt" if wire == "mqtt3-amqtt" else "mosquitto"
    config = settings(embedded_broker=broker, module_timeout_seconds=1.0)
    async with App(config) as running:
        yield running


@contextlib.asynccontextmanager
async def consuming(app: App, wire: str, thing: ExposedThing) -> AsyncIterator[Consumer]:
    consumer = CONSUMERS[wire](app.servient.td(thing))
    try:
        yield consumer
    finally:
        await consumer.close()


@pytest.fixture
def lamp(app: App) -> ExposedThing:
    return expose_lamp(app.wot)


@pytest.fixture
async def consumer(app: App, wire: str, lamp: ExposedThing) -> AsyncIterator[Consumer]:
    async with consuming(app, wire, lamp) as consumer:
        yield consumer


async def following(values: AsyncIterator[Any]) -> Any:
    return await asyncio.wait_for(anext(values), NEXT_SECONDS)


async def until(values: AsyncIterator[Any], wanted: Any) -> None:
    """Values come until the wanted one: some wires begin with the present one."""
    async with asyncio.timeout(NEXT_SECONDS):
        async for value in values:
            if value == wanted:
                return
    raise AssertionError(f"the subscription ended before {wanted!r} came")


async def refusal(work: Any) -> dict[str, Any]:
    with pytest.raises(Refused) as refused:
        await asyncio.wait_for(work, PATIENCE_SECONDS)
    problem = refused.value.problem
    assert problem["type"].startswith("urn:wasm-servient:problem:")
    assert problem["title"]
    assert problem["detail"]
    return problem


def as_bytes(value: Any) -> bytes:
    """A file as the wire gave it: its bytes, or base64 in JSON."""
    return base64.b64decode(value, validate=True) if isinstance(value, str) else bytes(value)


async def test_invoking_answers_and_publishes(consumer: Consumer) -> None:
    async with (
        consumer.observe("double_result") as results,
        consumer.subscribe("double_completed") as completions,
    ):
        assert await consumer.invoke("double", {"number": 21}) == 42
        await until(results, 42)
        assert (await following(completions))["output"] == 42
        assert await consumer.read("double_result") == 42
        assert await consumer.invoke("double", {"number": -3 + 3}) == 0
        await until(results, 0)
        assert await consumer.read("double_result") == 0


async def test_an_action_without_input_and_output(consumer: Consumer) -> None:
    async with consumer.subscribe("toggled") as events:
        assert await consumer.invoke("toggle") is None
        assert await following(events) is True
        assert await consumer.invoke("toggle") is None
        assert await following(events) is False


@pytest.mark.parametrize(
    "value",
    [{}, {"error": "none"}, {"id": 1, "input": "x"}, {"text": "naïve ☃ \u0000"}, {"a": [1, {}]}],
)
async def test_objects_pass_as_they_are(consumer: Consumer, value: dict[str, Any]) -> None:
    assert await consumer.invoke("echo", value) == value


async def test_properties_are_read_written_and_observed(
    consumer: Consumer, lamp: ExposedThing
) -> None:
    assert await consumer.read("level") == 3
    async with consumer.observe("level") as levels:
        await consumer.write("level", 55)
        await until(levels, 55)
        assert await lamp.read_property("level") == 55
        await lamp.write_property("level", 56)
        await until(levels, 56)
    assert await consumer.read("level") == 56
    await consumer.write("settings", {"error": "a word", "id": 7})
    assert await consumer.read("settings") == {"error": "a word", "id": 7}


async def test_files_pass_in_both_directions(consumer: Consumer, lamp: ExposedThing) -> None:
    image = bytes(range(256)) * 40
    output = await consumer.invoke("invert", {"image": base64.b64encode(image).decode()})
    assert as_bytes(output) == bytes(255 - byte for byte in image)


async def test_a_bad_input_is_refused_with_its_place(consumer: Consumer) -> None:
    problem = await refusal(consumer.invoke("double", {"number": "many"}))
    assert (problem["status"], problem["errors"][0]["pointer"]) == (400, "/number")
    problem = await refusal(consumer.invoke("double", {}))
    assert problem["status"] == 400
    assert "number" in problem["detail"]
    problem = await refusal(consumer.write("level", 101))
    assert problem["status"] == 400
    assert await consumer.read("level") == 3


async def test_a_failing_action_says_why(consumer: Consumer) -> None:
    async with consumer.subscribe("double_failed") as failures:
        problem = await refusal(consumer.invoke("double", {"number": -1}))
        assert problem["status"] == 500
        assert "negative numbers are not for lamps" in problem["detail"]
        assert (await following(failures))["detail"] == problem["detail"]


async def test_unknown_names_are_not_found(consumer: Consumer) -> None:
    assert (await refusal(consumer.invoke("explode", {})))["status"] == 404
    assert (await refusal(consumer.read("colour")))["status"] == 404
    assert (await refusal(consumer.write("colour", 1)))["status"] == 404


async def test_an_operation_that_is_not_offered_is_refused(consumer: Consumer) -> None:
    assert (await refusal(consumer.write("serial", "0815")))["status"] == 405


async def test_a_property_without_a_value_says_so(consumer: Consumer) -> None:
    assert (await refusal(consumer.read("double_result")))["status"] == 404


async def test_destroying_a_thing_ends_its_subscriptions(
    consumer: Consumer, lamp: ExposedThing
) -> None:
    async with consumer.observe("level") as levels, consumer.subscribe("toggled") as events:
        await lamp.write_property("level", 9)
        await until(levels, 9)
        lamp.destroy()
        async with asyncio.timeout(NEXT_SECONDS):
            assert [value async for value in levels] == []
            assert [value async for value in events] == []
    assert (await refusal(consumer.invoke("toggle")))["status"] == 404


async def test_an_endless_function_is_ended_at_its_deadline(
    app: App, wire: str, files: FileServer, consumer: Consumer
) -> None:
    await app.deployer.deploy(files.manifest("endless/manifest.json", deploymentId="e"))
    async with consuming(app, wire, app.servient.exposed("e:endless")) as endless:
        forever = asyncio.create_task(refusal(endless.invoke("forever")))
        # Meanwhile other Things answer.
        for number in range(5):
            assert await consumer.invoke("double", {"number": number}) == 2 * number
        assert not forever.done()
        assert (await forever)["status"] == 504


async def test_a_deployed_function_answers(app: App, wire: str, files: FileServer) -> None:
    deployed = await app.deployer.deploy(files.manifest("fibonacci/manifest.json"))
    thing = app.servient.exposed(deployed.names()[0])
    async with (
        consuming(app, wire, thing) as fibonacci,
        fibonacci.observe("fibo_result") as results,
    ):
        for iterations, number in {0: 1, 1: 1, 7: 21, 12: 233, 30: 1346269}.items():
            assert await fibonacci.invoke("fibo", {"iterations": iterations}) == number
            await until(results, number)

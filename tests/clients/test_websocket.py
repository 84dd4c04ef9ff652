"""The corrected WoTPy client, against our binding and against a plain WoTPy servient."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from wotpy.protocols.exceptions import ClientRequestTimeout, FormNotFoundException
from wotpy.protocols.ws.server import WebsocketServer
from wotpy.wot.servient import Servient as PlainServient
from wotpy.wot.td import ThingDescription
from wotpy.wot.wot import WoT as PlainWoT

from servient.bindings.websocket.binding import WebSocketBinding
from servient.clients.errors import InteractionRefused
from servient.clients.websocket import WebSocketClient
from servient.clients.websocket_connection import ConnectionLost
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing
from tests.things import TD, expose_lamp

PATIENCE_SECONDS = 20.0


class Lamp:
    """A served lamp, and the binding that serves it."""

    def __init__(self, servient: Servient, binding: WebSocketBinding, thing: ExposedThing) -> None:
        self.servient = servient
        self.binding = binding
        self.thing = thing
        self.td = ThingDescription(servient.td(thing))


@pytest.fixture
async def lamp() -> AsyncIterator[Lamp]:
    servient = Servient()
    binding = WebSocketBinding("127.0.0.1", "127.0.0.1", 0)
    servient.add_server(binding)
    wot = await servient.start()
    yield Lamp(servient, binding, expose_lamp(wot))
    await servient.shutdown()


@pytest.fixture
async def client() -> AsyncIterator[WebSocketClient]:
    client = WebSocketClient()
    yield client
    await client.close()
    gc.collect()  # a connection that is not closed warns when it is collected


async def until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not claim():
            await asyncio.sleep(0.005)


async def subscribed(lamp: Lamp, client: WebSocketClient) -> None:
    """Subscriptions go out with the first request, so that they are in force at the second."""
    await client.read_property(lamp.td, "level")
    await client.read_property(lamp.td, "level")


@pytest.mark.parametrize(
    "value",
    [{}, {"error": "none"}, {"a": [1, 2.5, None, True, "x", {"b": []}]}, {"text": "naïve ☃ error"}],
)
async def test_results_of_every_type(lamp: Lamp, client: WebSocketClient, value: Any) -> None:
    assert await client.invoke_action(lamp.td, "echo", value) == value
    assert await client.invoke_action(lamp.td, "double", {"number": 0}) == 0
    assert await client.invoke_action(lamp.td, "toggle", None) is None
    assert await client.read_property(lamp.td, "serial") == "4711"


@pytest.mark.parametrize("output", [0, 1.5, "", "error", False, None, [], [0], {"error": 1}])
async def test_outputs_of_every_type(client: WebSocketClient, lamp: Lamp, output: Any) -> None:
    async def handler(_: Any) -> Any:
        return output

    lamp.thing.set_action_handler("toggle", handler)
    assert await client.invoke_action(lamp.td, "toggle", None) == output


async def test_a_hundred_calls_at_once_share_one_connection(
    lamp: Lamp, client: WebSocketClient
) -> None:
    calls = (client.invoke_action(lamp.td, "double", {"number": n}) for n in range(100))
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await asyncio.gather(*calls) == [2 * n for n in range(100)]
    assert lamp.binding.connection_count == 1


async def test_writing_and_observing(lamp: Lamp, client: WebSocketClient) -> None:
    levels: list[int] = []
    ended: list[Exception] = []
    changes = client.on_property_change(lamp.td, "level").subscribe(
        on_next=lambda event: levels.append(event.data.value), on_error=ended.append
    )
    toggles: list[bool] = []
    client.on_event(lamp.td, "toggled").subscribe(on_next=lambda e: toggles.append(e.data))
    await subscribed(lamp, client)
    await client.write_property(lamp.td, "level", 50)
    await client.invoke_action(lamp.td, "toggle", None)
    await until(lambda: levels == [50] and toggles == [True])
    changes.dispose()
    await client.write_property(lamp.td, "level", 51)
    await client.invoke_action(lamp.td, "toggle", None)
    await until(lambda: toggles == [True, False])
    assert (levels, ended) == ([50], [])
    assert lamp.binding.connection_count == 1


async def test_changes_of_the_description(lamp: Lamp, client: WebSocketClient) -> None:
    changes: list[Any] = []
    url = lamp.binding.build_base_url("127.0.0.1", lamp.thing.thing)
    client.on_td_change(url).subscribe(on_next=lambda event: changes.append(event.data))
    await subscribed(lamp, client)
    lamp.thing.add_property("colour", {"type": "string", "observable": True})
    await until(lambda: len(changes) == 1)
    assert changes[0]["name"] == "colour"
    assert changes[0]["td_change_type"] == "property"
    assert changes[0]["description"]["properties"]["colour"]["type"] == "string"


async def test_refusals_carry_the_problem(lamp: Lamp, client: WebSocketClient) -> None:
    with pytest.raises(InteractionRefused) as refused:
        await client.invoke_action(lamp.td, "double", {"number": "many"})
    assert refused.value.status == 400
    assert refused.value.problem["errors"][0]["pointer"] == "/number"
    with pytest.raises(InteractionRefused) as refused:
        await client.write_property(lamp.td, "serial", "0815")
    assert refused.value.status == 405


async def test_names_that_the_description_lacks(lamp: Lamp, client: WebSocketClient) -> None:
    errors: list[Exception] = []
    with pytest.raises(FormNotFoundException):
        await client.invoke_action(lamp.td, "explode", None)
    client.on_event(lamp.td, "exploded").subscribe(on_error=errors.append)
    assert isinstance(errors[0], FormNotFoundException)
    assert client.is_supported_interaction(lamp.td, "double")
    assert not client.is_supported_interaction(lamp.td, "explode")


async def test_a_thing_of_another_dialect_is_not_supported(client: WebSocketClient) -> None:
    form = {"href": "ws://127.0.0.1:9/", "subprotocol": "webthingprotocol", "op": "invokeaction"}
    td = ThingDescription(
        {**TD, "properties": {}, "events": {}, "actions": {"a": {"forms": [form]}}}
    )
    assert not client.is_supported_interaction(td, "a")


async def test_a_timeout_leaves_the_connection_usable(lamp: Lamp, client: WebSocketClient) -> None:
    release = asyncio.Event()

    async def wait(_: Any) -> None:
        await release.wait()

    lamp.thing.set_action_handler("toggle", wait)
    with pytest.raises(ClientRequestTimeout):
        await client.invoke_action(lamp.td, "toggle", None, timeout=0.05)
    assert await client.read_property(lamp.td, "level") == 3
    release.set()


async def test_a_lost_connection_is_replaced_and_ends_its_subscriptions(
    lamp: Lamp, client: WebSocketClient
) -> None:
    ended: list[Exception] = []
    client.on_property_change(lamp.td, "level").subscribe(on_error=ended.append)
    await subscribed(lamp, client)
    port = lamp.binding.port
    await lamp.binding.stop()
    await until(lambda: len(ended) == 1)
    assert isinstance(ended[0], InteractionRefused | ConnectionLost)
    with pytest.raises(ConnectionLost):
        await client.read_property(lamp.td, "level")
    assert lamp.binding.port == port
    await lamp.binding.start(lamp.servient)
    assert await client.read_property(lamp.td, "level") == 3


async def test_a_destroyed_thing_ends_its_subscriptions(
    lamp: Lamp, client: WebSocketClient
) -> None:
    ended: list[Exception] = []
    client.on_event(lamp.td, "toggled").subscribe(on_error=ended.append)
    await subscribed(lamp, client)
    lamp.thing.destroy()
    await until(lambda: len(ended) == 1)
    assert isinstance(ended[0], InteractionRefused)
    assert ended[0].status == 404
    await until(lambda: lamp.binding.connection_count == 0)
    with pytest.raises(InteractionRefused) as refused:
        await client.read_property(lamp.td, "level")
    assert refused.value.status == 404


async def test_an_observer_that_fails_harms_nobody_else(
    lamp: Lamp, client: WebSocketClient
) -> None:
    def fail(_: Any) -> None:
        raise RuntimeError("a careless observer")

    seen: list[int] = []
    client.on_property_change(lamp.td, "level").subscribe(on_next=fail)
    client.on_property_change(lamp.td, "level").subscribe(
        on_next=lambda e: seen.append(e.data.value)
    )
    await subscribed(lamp, client)
    await client.write_property(lamp.td, "level", 8)
    await client.write_property(lamp.td, "level", 9)
    await until(lambda: seen == [8, 9])


async def test_closing_while_connecting_and_subscribed(lamp: Lamp) -> None:
    client = WebSocketClient()
    reading = asyncio.create_task(client.read_property(lamp.td, "level"))
    client.on_event(lamp.td, "toggled").subscribe(on_error=lambda _: None)
    await asyncio.sleep(0)
    await client.close()
    with pytest.raises((asyncio.CancelledError, ConnectionLost)):
        await reading
    await until(lambda: lamp.binding.connection_count == 0)
    gc.collect()


async def test_a_program_consumes_with_it(lamp: Lamp, client: WebSocketClient) -> None:
    servient = Servient(clients=[client])
    wot = await servient.start()
    consumed = wot.consume(json.dumps(lamp.servient.td(lamp.thing)))
    assert await consumed.actions["double"].invoke({"number": 21}) == 42
    await consumed.properties["level"].write(30)
    assert await consumed.properties["level"].read() == 30
    await servient.shutdown()


async def test_a_plain_wotpy_servient(client: WebSocketClient) -> None:
    servient = PlainServient(catalogue_port=None)
    servient.add_server(WebsocketServer(port=0))
    await servient.start()
    server = next(iter(servient.servers.values()))
    sockets = server._server._sockets.values()  # WoTPy does not tell the port that it was given
    server._port = next(iter(sockets)).getsockname()[1]
    thing = PlainWoT(servient).produce(
        '{"@context": "https://www.w3.org/2022/wot/td/v1.1", "title": "Plain", "id": "urn:plain",'
        ' "security": ["n"], "securityDefinitions": {"n": {"scheme": "nosec"}},'
        ' "properties": {"level": {"type": "integer", "observable": true}},'
        ' "actions": {"double": {"input": {"type": "integer"}, "output": {"type": "integer"}}},'
        ' "events": {"beep": {"data": {"type": "string"}}}}'
    )

    async def double(number: int) -> int:
        if number < 0:
            raise ValueError("no negative numbers")
        return 2 * number

    thing.set_action_handler("double", double)
    thing.expose()
    td = ThingDescription.from_thing(thing.thing)
    levels: list[int] = []
    client.on_property_change(td, "level").subscribe(on_next=lambda e: levels.append(e.data.value))
    calls = (client.invoke_action(td, "double", n) for n in range(100))
    assert await asyncio.gather(*calls) == [2 * n for n in range(100)]
    await client.write_property(td, "level", 5)
    assert await client.read_property(td, "level") == 5
    await until(lambda: levels == [5])
    with pytest.raises(InteractionRefused, match="no negative numbers"):
        await client.invoke_action(td, "double", -1)
    await client.close()
    await servient.shutdown()

"""WoTPy's programs as consumers over CoAP, of our Things and of others."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiocoap
import pytest
import uvloop
from aiocoap.resource import ObservableResource, Resource, Site
from wotpy.protocols.exceptions import (
    ClientRequestTimeout,
    FormNotFoundException,
    ProtocolClientException,
)

from servient.bindings.coap.binding import CoapBinding
from servient.clients.coap import CoapClient
from servient.clients.errors import InteractionRefused
from servient.wot.content import Content
from servient.wot.entry import WoT
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing
from tests.bindings.coap.serving import serve
from tests.things import TD, expose_lamp

DEADLINE_SECONDS = 20.0
END = object()


class Home:
    """A Thing, and a consumer of it in a servient of its own."""

    def __init__(
        self, binding: CoapBinding, lamp: ExposedThing, client: CoapClient, td: Any
    ) -> None:
        self.binding = binding
        self.lamp = lamp
        self.client = client
        self.td = td
        self.thing = WoT(Servient(clients=[client])).consume(json.dumps(td))

    async def observers(self, count: int) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while self.binding.observers != count:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def at_home() -> AsyncIterator[Home]:
    servient = Servient()
    binding = CoapBinding("127.0.0.1", "127.0.0.1", 0)
    servient.add_server(binding)
    lamp = expose_lamp(await servient.start())
    client = CoapClient()
    try:
        yield Home(binding, lamp, client, servient.td(lamp))
    finally:
        await client.close()
        await servient.shutdown()


@pytest.fixture
async def home() -> AsyncIterator[Home]:
    async with at_home() as home:
        yield home


class Followed:
    """What an observable tells, in order, up to its end or error."""

    def __init__(self, observable: Any) -> None:
        self._items: asyncio.Queue[Any] = asyncio.Queue()
        self.subscription = observable.subscribe(
            on_next=lambda event: self._items.put_nowait(event.data),
            on_error=self._items.put_nowait,
            on_completed=lambda: self._items.put_nowait(END),
        )

    async def next(self) -> Any:
        return await asyncio.wait_for(self._items.get(), DEADLINE_SECONDS)

    @property
    def is_empty(self) -> bool:
        return self._items.empty()


@pytest.mark.parametrize(
    "value",
    [
        0,
        42,
        -1.5,
        True,
        None,
        "",
        "an error occurred",
        [],
        [1, {"error": 2}],
        {"error": "none"},
        {},
    ],
)
async def test_results_are_what_they_are(home: Home, value: Any) -> None:
    async def give(_: Any) -> Any:
        return value

    home.lamp.set_action_handler("toggle", give)
    result = await home.thing.invoke_action("toggle")
    assert (type(result), result) == (type(value), value)


async def test_properties(home: Home) -> None:
    assert await home.thing.read_property("level") == 3
    await home.thing.write_property("level", 0)
    assert await home.thing.properties["level"].read() == 0
    settings = {"error": "a word", "id": 7}
    await home.thing.properties["settings"].write(settings)
    assert await home.lamp.read_property("settings") == settings
    assert await home.thing.actions["double"].invoke({"number": 21}) == 42


async def test_files(home: Home) -> None:
    image = bytes(range(256)) * 100
    inverted = Content(image[::-1], "image/png")
    assert await home.thing.invoke_action("invert", Content(image, "image/png")) == inverted
    assert await home.thing.invoke_action("invert", {"image": Content(image)}) == inverted
    home.lamp.set_property("picture", Content(image, "image/png"))
    assert await home.thing.read_property("picture") == Content(image, "image/png")


async def test_refusals(home: Home) -> None:
    with pytest.raises(InteractionRefused) as refused:
        await home.thing.invoke_action("double", {"number": "x"})
    assert refused.value.status == 400
    assert refused.value.problem["errors"][0]["pointer"] == "/number"
    with pytest.raises(InteractionRefused) as refused:
        await home.thing.invoke_action("double", {"number": -1})
    assert refused.value.status == 500
    with pytest.raises(InteractionRefused) as refused:
        await home.thing.write_property("level", 1000)
    assert refused.value.status == 400
    with pytest.raises(InteractionRefused) as refused:
        await home.thing.read_property("double_result")
    assert refused.value.status == 404
    with pytest.raises(FormNotFoundException):
        await home.thing.write_property("serial", "x")


async def test_a_hundred_calls_at_once(home: Home) -> None:
    calls = [home.thing.invoke_action("double", {"number": number}) for number in range(100)]
    assert await asyncio.gather(*calls) == [2 * number for number in range(100)]


async def test_one_context_is_kept(home: Home) -> None:
    await home.thing.read_property("level")
    context = home.client._context
    await asyncio.gather(*(home.thing.read_property("level") for _ in range(10)))
    assert home.client._context is context is not None
    await home.client.close()
    assert home.client._context is None
    assert await home.thing.read_property("level") == 3


async def test_a_timeout(home: Home) -> None:
    home.lamp.set_action_handler("toggle", lambda _: asyncio.Event().wait())
    with pytest.raises(ClientRequestTimeout):
        await home.thing.invoke_action("toggle", timeout=0.2)
    assert await home.thing.read_property("level", timeout=DEADLINE_SECONDS) == 3


async def test_observing(home: Home) -> None:
    levels = Followed(home.thing.on_property_change("level"))
    change = await levels.next()
    assert (change.name, change.value) == ("level", 3)
    for value in (4, 0, 5):
        home.lamp.set_property("level", value)
        assert (await levels.next()).value == value
    levels.subscription.dispose()
    await home.observers(0)
    assert levels.is_empty
    assert not home.lamp.publisher._subscriptions


async def test_events(home: Home) -> None:
    """The first answer, which is empty, is none; each of a burst is one, in order."""
    toggled = Followed(home.thing.on_event("toggled"))
    await home.observers(1)
    data = [*range(20), None, False, {"error": 1}, "error", [], {}]
    for one in data:
        home.lamp.emit_event("toggled", one)
    assert [await toggled.next() for _ in data] == data
    assert toggled.is_empty
    toggled.subscription.dispose()
    await home.observers(0)


async def test_a_large_value_is_observed(home: Home) -> None:
    pictures = Followed(home.thing.on_property_change("picture"))
    await home.observers(1)
    for number in range(3):
        picture = Content(bytes([number]) * 10_000, "image/png")
        home.lamp.set_property("picture", picture)
        assert (await pictures.next()).value == picture
    pictures.subscription.dispose()
    await home.observers(0)


async def test_the_end_of_the_thing(home: Home) -> None:
    levels = Followed(home.thing.on_property_change("level"))
    assert (await levels.next()).value == 3
    home.lamp.destroy()
    error = await levels.next()
    assert isinstance(error, InteractionRefused)
    assert error.status == 404
    refused = Followed(home.thing.on_event("toggled"))
    error = await refused.next()
    assert isinstance(error, InteractionRefused)
    assert error.status == 404


async def test_closing_ends_observations(home: Home) -> None:
    Followed(home.thing.on_event("toggled"))
    Followed(home.thing.on_property_change("level"))
    await home.observers(2)
    await home.client.close()
    await home.observers(0)


async def test_disposing_at_once(home: Home) -> None:
    for _ in range(10):
        followed = Followed(home.thing.on_event("toggled"))
        await asyncio.sleep(0)
        followed.subscription.dispose()
    await home.client.close()
    home.lamp.emit_event("toggled", 1)
    await home.observers(0)


def test_on_uvloop_a_server_that_is_away_is_no_end() -> None:
    _run_while_away(uvloop.run)


def test_a_server_that_is_away_is_no_end() -> None:
    _run_while_away(asyncio.run)


def _run_while_away(run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    async def story() -> None:
        async with at_home() as home:
            assert await home.thing.read_property("level") == 3
            levels = Followed(home.thing.on_property_change("level"))
            assert (await levels.next()).value == 3
            servient = home.lamp.servient
            await home.binding.stop()
            assert isinstance(await levels.next(), Exception)
            with pytest.raises(ProtocolClientException):
                await home.thing.read_property("level", timeout=DEADLINE_SECONDS)
            await home.binding.start(servient)
            assert await home.thing.read_property("level", timeout=DEADLINE_SECONDS) == 3

    run(story())


# Other servers


class Plain(Resource):
    """A server that knows no problem details, nor content formats."""

    async def render_get(self, _: Any) -> Any:
        return aiocoap.Message(payload=b'{"value": "error"}')

    async def render_put(self, _: Any) -> Any:
        return aiocoap.Message(code=aiocoap.Code.FORBIDDEN, payload=b"hands off")

    async def render_post(self, _: Any) -> Any:
        return aiocoap.Message(payload=b"{malformed")


class Enveloped(ObservableResource):
    """Events as plain WoTPy servers send them."""

    payload = b""

    async def render_get(self, _: Any) -> Any:
        return aiocoap.Message(payload=self.payload)

    def emit(self, payload: bytes) -> None:
        self.payload = payload
        self.updated_state()


@asynccontextmanager
async def consuming_others(site: Site) -> AsyncIterator[Any]:
    async with serve() as serving:
        port = serving.binding.port  # free in a moment
    server = await aiocoap.Context.create_server_context(
        site, bind=("127.0.0.1", port), transports=["udp6"]
    )
    client = CoapClient()
    td = {
        **{n: m for n, m in TD.items() if n not in ("properties", "actions", "events")},
        "base": f"coap://127.0.0.1:{port}/",
        "properties": {
            "p": {
                "type": "object",
                "observable": True,
                "forms": [
                    {"href": "plain"},
                    {"href": "plain", "op": ["observeproperty", "unobserveproperty"]},
                ],
            }
        },
        "actions": {"a": {"forms": [{"href": "http://other/"}, {"href": "plain"}]}},
        "events": {"e": {"data": {"type": "integer"}, "forms": [{"href": "events"}]}},
    }
    try:
        yield WoT(Servient(clients=[client])).consume(json.dumps(td))
    finally:
        await client.close()
        await server.shutdown()


async def test_a_plain_server() -> None:
    site = Site()
    site.add_resource(["plain"], Plain())
    async with consuming_others(site) as thing:
        assert await thing.read_property("p") == {"value": "error"}
        with pytest.raises(InteractionRefused) as refused:
            await thing.write_property("p", {})
        assert refused.value.status == 403
        assert refused.value.problem["detail"] == "hands off"
        with pytest.raises(ProtocolClientException, match="malformed"):
            await thing.invoke_action("a")
        observed = Followed(thing.on_property_change("p"))
        assert (await observed.next()).value == {"value": "error"}
        assert isinstance(await observed.next(), ProtocolClientException)


async def test_events_in_an_envelope() -> None:
    site = Site()
    events = Enveloped()
    site.add_resource(["events"], events)
    async with consuming_others(site) as thing:
        observed = Followed(thing.on_event("e"))
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not events._observations:
                await asyncio.sleep(0.01)
        events.emit(b'{"name": "e", "data": 5, "time": 1}')
        assert await observed.next() == 5
        events.emit(b'{"name": "other", "data": 5, "time": 1}')
        assert await observed.next() == {"name": "other", "data": 5, "time": 1}
        observed.subscription.dispose()
        async with asyncio.timeout(DEADLINE_SECONDS):
            while events._observations:
                await asyncio.sleep(0.01)

"""The life of a servient and of many Things in it."""

import asyncio
import gc
import json
import weakref
from typing import Any

import pytest

from servient.errors import NotFound
from servient.wot.door import Door, Interaction
from servient.wot.entry import WoT
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing
from tests.wot.documents import worker
from tests.wot.lines import LineBinding, ask


def bindings(*protocols: str) -> list[LineBinding]:
    return [LineBinding(protocol=protocol) for protocol in protocols]


def serving(*servers: LineBinding) -> Servient:
    servient = Servient()
    for server in servers:
        servient.add_server(server)
    return servient


class Unwilling(LineBinding):
    """Does not start, and does not stop."""

    async def start(self, servient: Any) -> None:
        raise OSError("the port is taken")

    async def stop(self) -> None:
        await super().stop()
        raise RuntimeError("cannot stop")


class Clumsy(LineBinding):
    """Stops with an error."""

    async def stop(self) -> None:
        await super().stop()
        raise RuntimeError("stopped badly")


async def test_what_cannot_start_stops_what_did(caplog: pytest.LogCaptureFixture) -> None:
    first, second, last = LineBinding(protocol="1"), Clumsy(protocol="2"), LineBinding(protocol="4")
    servient = serving(first, second, Unwilling(protocol="3"), last)
    with pytest.raises(OSError, match="the port is taken"):
        await servient.start()
    assert not servient.is_running
    assert (first.is_serving, second.is_serving) == (False, False)
    assert not last.calls
    assert first.calls == [("start", "1"), ("stop", "1")]
    assert "stopped badly" in caplog.text
    servient.remove_server("3")
    await servient.start()
    assert servient.is_running
    assert last.is_serving
    await servient.shutdown()


async def test_bindings_stop_in_the_opposite_order_whatever_one_of_them_raises(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stopped: list[str] = []

    class Noting(Clumsy):
        async def stop(self) -> None:
            stopped.append(self.protocol)
            await super().stop()

    servers = [Noting(protocol=protocol) for protocol in ("1", "2", "3")]
    servient = serving(*servers)
    await servient.start()
    await servient.shutdown()
    assert stopped == ["3", "2", "1"]
    assert not any(server.is_serving for server in servers)
    assert not servient.is_running


async def test_starting_and_stopping_twice_does_it_once() -> None:
    [server] = bindings("1")
    servient = serving(server)
    await servient.shutdown()
    await asyncio.gather(servient.start(), servient.start())
    assert server.calls == [("start", "1")]
    await asyncio.gather(servient.shutdown(), servient.shutdown())
    await servient.shutdown()
    assert server.calls == [("start", "1"), ("stop", "1")]


async def test_a_servient_starts_again_with_its_things() -> None:
    [server] = bindings("1")
    servient = serving(server)
    thing = (await servient.start()).produce(worker())
    thing.set_action_handler("work", lambda value: value)
    thing.expose()
    for number in range(2):
        assert await ask(server, f"invokeaction worker work {number}") == [str(number)]
        await servient.shutdown()
        with pytest.raises(OSError):
            await ask(server, "readproperty worker work_result")
        await servient.start()
    assert await ask(server, "readproperty worker work_result") == ["1"]
    await servient.shutdown()


async def test_hooks_of_a_subclass_are_called_and_may_fail() -> None:
    class Hooked(Servient):
        async def startup_hook(self) -> None:
            said.append("up")

        async def shutdown_hook(self) -> None:
            said.append("down")
            raise RuntimeError("a hook of the program's own")

    said: list[str] = []
    [server] = bindings("1")
    servient = Hooked()
    servient.add_server(server)
    await servient.start()
    with pytest.raises(RuntimeError, match="own"):
        await servient.shutdown()
    assert said == ["up", "down"]
    assert not server.is_serving


async def test_who_subscribes_while_bindings_stop_is_told_of_the_end() -> None:
    class Late(LineBinding):
        async def stop(self) -> None:
            await super().stop()
            [thing] = servient.exposed_things
            kind, name = AffordanceKind.PROPERTY, "work_result"
            subscriptions.append(thing.publisher.subscribe(kind, name))

    subscriptions: list[Any] = []
    servient = serving(Late())
    (await servient.start()).produce(worker())
    await servient.shutdown()
    assert [notification async for notification in subscriptions[0]] == []


async def test_a_thing_is_served_from_its_exposure_to_its_end() -> None:
    [server] = bindings("1")
    servient = serving(server)
    wot = await servient.start()
    thing = wot.produce(worker())
    read = "readproperty worker work_result"
    thing.set_property("work_result", 5)
    refused = json.loads((await ask(server, read))[0])
    assert refused["status"] == 404
    thing.expose()
    assert await ask(server, read) == ["5"]
    servient.disable_exposed_thing("worker")
    assert json.loads((await ask(server, read))[0])["status"] == 404
    with pytest.raises(ValueError, match="not exposed"):
        servient.disable_exposed_thing("worker")
    servient.enable_exposed_thing("Worker")
    assert await ask(server, read) == ["5"]
    thing.destroy()
    assert json.loads((await ask(server, read))[0])["status"] == 404
    assert [call for call in server.calls if call[0] in ("add", "remove")] == [
        ("add", "worker"),
        ("remove", "worker"),
    ] * 2
    await servient.shutdown()


async def test_a_thousand_things_come_and_go_and_nothing_is_left() -> None:
    [server] = bindings("1")
    servient = serving(server)
    wot = await servient.start()
    alive: weakref.WeakSet[ExposedThing] = weakref.WeakSet()
    door = Door(servient)

    async def work(value: int) -> int:
        if value % 7 == 0:
            raise ValueError("no sevens")
        return value

    async def round_of(count: int) -> None:
        things = [wot.produce(worker(title=f"Worker {number}")) for number in range(count)]
        for number, thing in enumerate(things):
            alive.add(thing)
            thing.set_action_handler("work", work)
            thing.expose()
            servient.td(thing)
            observe = Interaction(Operation.OBSERVE_PROPERTY, thing.name, "work_result")
            door.subscribe(observe)
            thing.properties["work_result"].subscribe(on_next=lambda _: None)
            await asyncio.gather(thing.invoke_action("work", number), return_exceptions=True)
        for thing in things:
            thing.destroy()

    for _ in range(4):
        await round_of(250)
    await asyncio.sleep(0)
    gc.collect()
    assert len(alive) == 0
    assert not list(servient.exposed_things)
    assert not list(servient.enabled_exposed_things)
    assert (len(servient._tds), len(servient._tasks)) == (0, 0)
    things = servient.exposed_thing_set
    assert (things._by_name, things._names, things._keys) == ({}, {}, {})
    assert len(servient.invocations) == 1_000
    with pytest.raises(NotFound):
        servient.exposed("worker-1")
    await servient.shutdown()


async def test_things_may_be_produced_before_the_servient_starts() -> None:
    [server] = bindings("1")
    servient = serving(server)
    thing = WoT(servient).produce(worker())
    thing.set_action_handler("work", lambda value: value)
    thing.expose()
    await servient.start()
    assert await ask(server, "invokeaction worker work 3") == ["3"]
    await servient.shutdown()

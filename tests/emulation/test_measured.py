"""What is recorded of known calls, errors and events, over every protocol."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from emulation.metrics.measured import MeasuredThing, measure, witness_interactions
from emulation.metrics.merge import Ties, merge
from emulation.metrics.recorder import Recorder
from emulation.metrics.records import (
    Change,
    EmissionRecord,
    EventRecord,
    LogRecord,
    SubscriptionRecord,
)
from servient.app import App
from servient.clients.coap import CoapClient
from servient.clients.errors import InteractionRefused
from servient.clients.http import HttpClient
from servient.clients.mqtt import MqttClient
from servient.clients.websocket import WebSocketClient
from servient.config import Config
from servient.errors import ActionFailed
from servient.wot.servient import Servient
from tests.emulation.programs import HANDLER_SECONDS, LAB

CLIENTS: dict[str, Callable[[], Any]] = {
    "http": HttpClient,
    "coap": CoapClient,
    "websocket": WebSocketClient,
    "mqtt": MqttClient,
}


@asynccontextmanager
async def consumer(
    app: App, protocol: str, recorder: Recorder, *, carries_traces: bool = True
) -> AsyncIterator[MeasuredThing]:
    client = CLIENTS[protocol]()
    servient = Servient(clients=[client])
    wot = measure(await servient.start(), recorder, carries_traces=carries_traces)
    try:
        yield wot.consume(app.servient.td(app.servient.exposed("Lab")))
    finally:
        await client.close()
        await servient.shutdown()


def expose(app: App) -> Any:
    thing = app.wot.produce(LAB)

    async def work(value: Any) -> Any:
        await asyncio.sleep(HANDLER_SECONDS)
        if value == 13:
            raise ActionFailed("unlucky")
        return value

    thing.set_action_handler("work", work)
    thing.set_property_read_handler("level", _level)
    thing.expose()
    return thing


async def _level() -> int:
    return 7


@pytest.fixture
async def lab(settings: Callable[..., Config], tmp_path: Path) -> AsyncIterator[tuple[App, Any]]:
    """A servient with a Thing of known behaviour, whose producer's side is recorded."""
    with Recorder(tmp_path / "producer.sqlite") as recorder:
        async with App(settings()) as app:
            witness_interactions(app.servient, recorder)
            yield app, expose(app)


def merged(folder: Path) -> tuple[Ties, list[dict[str, Any]]]:
    out = folder / "merged" / "run.sqlite"
    out.parent.mkdir(exist_ok=True)
    ties = merge(folder.glob("*.sqlite"), out)
    with closing(sqlite3.connect(out)) as database:
        database.row_factory = sqlite3.Row
        return ties, [dict(row) for row in database.execute("SELECT * FROM interaction")]


@pytest.mark.parametrize("protocol", CLIENTS)
async def test_each_call_leaves_one_record_on_each_side(
    lab: tuple[App, Any], protocol: str, tmp_path: Path
) -> None:
    app, _ = lab
    with Recorder(tmp_path / "consumer.sqlite") as recorder:
        async with consumer(app, protocol, recorder) as thing:
            for value in range(3):
                assert await thing.invoke_action("work", value) == value
            with pytest.raises(InteractionRefused):
                await thing.invoke_action("work", 13)
            await thing.write_property("setting", 5)
    app.servient.witness._recorder.close()  # type: ignore[union-attr] # ours
    ties, rows = merged(tmp_path)
    consumed = [row for row in rows if row["side"] == "consumed"]
    exposed = [row for row in rows if row["side"] == "exposed"]
    assert [row["operation"] for row in consumed] == ["invokeaction"] * 4 + ["writeproperty"]
    assert [row["operation"] for row in exposed] == ["invokeaction"] * 4 + ["writeproperty"]
    assert {row["protocol"] for row in consumed} == {protocol}
    scheme = {"websocket": "ws"}.get(protocol, protocol)
    assert all(row["href"].startswith(f"{scheme}://") for row in consumed)
    assert [bool(row["error"]) for row in consumed] == [False, False, False, True, False]
    assert [bool(row["error"]) for row in exposed] == [False, False, False, True, False]
    assert [row["input_bytes"] for row in consumed] == [1, 1, 1, 2, 1]
    assert [row["output_bytes"] for row in consumed] == [1, 1, 1, 0, 0]
    assert ties == Ties(by_trace=5, by_time=0, calls=5)


async def test_without_traces_calls_are_tied_by_time(lab: tuple[App, Any], tmp_path: Path) -> None:
    app, _ = lab
    with Recorder(tmp_path / "consumer.sqlite") as recorder:
        async with consumer(app, "coap", recorder, carries_traces=False) as thing:
            for value in range(5):
                await thing.invoke_action("work", value)
    app.servient.witness._recorder.close()  # type: ignore[union-attr] # ours
    ties, _ = merged(tmp_path)
    assert ties == Ties(by_trace=0, by_time=5, calls=5)


@pytest.mark.parametrize("protocol", CLIENTS)
async def test_every_event_is_recorded_once(
    lab: tuple[App, Any], protocol: str, tmp_path: Path
) -> None:
    app, exposed = lab
    received: list[Any] = []
    with Recorder(tmp_path / "consumer.sqlite") as recorder:
        async with consumer(app, protocol, recorder) as thing:
            subscription = thing.events["ticked"].subscribe(received.append)
            async with asyncio.timeout(20):
                while not received:  # until the subscription stands
                    exposed.emit_event("ticked", 0)
                    await asyncio.sleep(0.05)
                while received[-1].data != 6:
                    exposed.emit_event("ticked", 6)
                    await asyncio.sleep(0.05)
            subscription.dispose()
            await asyncio.sleep(0)
    with closing(sqlite3.connect(tmp_path / "consumer.sqlite")) as database:
        (events,) = database.execute("SELECT count(*) FROM event").fetchone()
        changes = database.execute("SELECT change, protocol FROM subscription").fetchall()
        (size,) = database.execute("SELECT max(data_bytes) FROM event").fetchone()
    assert events == len(received)
    assert changes == [("begun", protocol), ("ended", protocol)]
    assert size == 1


async def test_a_call_in_a_handler_belongs_to_the_same_trace(
    lab: tuple[App, Any], tmp_path: Path
) -> None:
    app, exposed = lab
    with Recorder(tmp_path / "consumer.sqlite") as recorder:
        async with consumer(app, "http", recorder) as thing:

            async def relay(value: Any) -> Any:
                return await thing.invoke_action("work", value)

            exposed.set_action_handler("relay", relay)
            assert await thing.invoke_action("relay", 3) == 3
    app.servient.witness._recorder.close()  # type: ignore[union-attr] # ours
    ties, rows = merged(tmp_path)
    assert ties.by_trace == 2
    assert len({row["trace"] for row in rows}) == 1
    assert len({row["span"] for row in rows}) == 2


def test_only_what_is_certain_is_tied_to_its_emission(tmp_path: Path) -> None:
    """Not a value that came twice, nor one that is older than the subscription."""
    route = ("Lab", "ticked", "subscribeevent")
    start = 1_800_000_000.0
    with Recorder(tmp_path / "all.sqlite") as recorder:
        recorder.record(SubscriptionRecord("reader", start, Change.BEGUN, *route, "http"))
        for at, digest in ((-1.0, "old"), (1.0, "twice"), (2.0, "twice"), (3.0, "once")):
            recorder.record(EmissionRecord("server", start + at, *route, digest))
        for at, digest in ((0.5, "old"), (2.1, "twice"), (3.2, "once"), (4.0, "")):
            recorder.record(EventRecord("reader", start + at, *route, "http", 1, digest))
    (tmp_path / "run").mkdir()
    ties = merge([tmp_path / "all.sqlite"], tmp_path / "run" / "run.sqlite")
    assert (ties.heard, ties.events) == (1, 4)
    with closing(sqlite3.connect(tmp_path / "run" / "run.sqlite")) as database:
        query = "SELECT v.digest, e.at FROM heard JOIN event v ON v.rowid = event"
        rows = database.execute(f"{query} JOIN emission e ON e.rowid = emission").fetchall()
    assert rows == [("once", start + 3.0)]


def test_a_recorder_that_is_full_says_so(tmp_path: Path) -> None:
    with Recorder(tmp_path / "log.sqlite", limit_records=10) as recorder:
        for number in range(10_000):
            recorder.record(LogRecord("log", 0.0, str(number)))
    with closing(sqlite3.connect(tmp_path / "log.sqlite")) as database:
        (kept,) = database.execute("SELECT count(*) FROM log").fetchone()
        (lost,) = database.execute("SELECT sum(records) FROM loss").fetchone()
    assert kept + lost == 10_000
    assert lost > 0

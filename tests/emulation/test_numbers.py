"""The report's numbers are those of what happened: an application keeps its own books beside it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from emulation.metrics.measured import measure, witness_interactions
from emulation.metrics.run import NetworkFigures, NodeFigures, RunDescription, RunFolder
from emulation.report.figures import percentile
from emulation.report.report import make_report
from servient.app import App
from servient.clients.errors import InteractionRefused
from servient.config import Config
from servient.errors import ActionFailed
from servient.wot.servient import Servient
from tests.emulation.programs import LAB
from tests.emulation.test_measured import CLIENTS

TOLERANCE = 0.05
CALLS = {"http": 24, "coap": 21, "websocket": 30, "mqtt": 15}
UNLUCKY = 7  # every seventh call of a protocol fails
EVENTS = 25
# Long beside what a loaded machine adds to it: the tolerance is for the measurement alone.
WORK_SECONDS = {"http": 0.12, "coap": 0.15, "websocket": 0.1, "mqtt": 0.2}


@dataclass
class Books:
    """What the application itself has clocked and counted, by protocol."""

    calls: dict[str, list[float]] = field(default_factory=dict)
    works: dict[str, list[float]] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)


async def test_counts_to_the_digit_and_durations_to_five_percent(
    settings: Callable[..., Config], tmp_path: Path
) -> None:
    folder, books = RunFolder(tmp_path / "run"), Books()
    folder.make()
    begun = time.time()
    with folder.recorder("server") as recorder:
        async with App(settings()) as app:
            witness_interactions(app.servient, recorder)
            exposed = _expose(app, books)
            callers = [_call(app, folder, protocol, books, exposed) for protocol in CALLS]
            await asyncio.gather(*callers)
    folder.write(_description(begun))
    [found] = make_report([folder.path]).documents()
    for protocol, calls in CALLS.items():
        figures, errors = found["byProtocol"][protocol], calls // UNLUCKY
        assert (
            (figures["calls"], figures["errors"])
            == (calls, errors)
            == (calls, books.failed[protocol])
        )
        clocked = sorted(books.calls[protocol])
        assert len(clocked) == calls - errors
        assert figures["mean"] == pytest.approx(sum(clocked) / len(clocked), rel=TOLERANCE)
        assert figures["p50"] == pytest.approx(percentile(clocked, 0.5), rel=TOLERANCE)
        assert figures["p95"] == pytest.approx(percentile(clocked, 0.95), rel=TOLERANCE)
        assert figures["maximum"] == pytest.approx(clocked[-1], rel=TOLERANCE)
        assert figures["tied"] == calls - errors
        works = books.works[protocol]
        assert figures["handler"] == pytest.approx(sum(works) / len(works), rel=TOLERANCE)
        assert figures["handler"] >= WORK_SECONDS[protocol]
        assert figures["network"] == pytest.approx(figures["mean"] - figures["handler"])
    assert found["calls"]["calls"] == sum(CALLS.values()) == found["exposedInteractions"]
    by_protocol = {each["protocol"]: each["events"] for each in found["eventsByAffordance"]}
    assert by_protocol == books.events
    assert min(by_protocol.values()) >= EVENTS
    assert found["subscriptions"] == {"begun": len(CALLS), "broken": 0}
    assert found["lostRecords"] == 0


def _expose(app: App, books: Books) -> Any:
    thing = app.wot.produce(LAB)

    async def work(value: int) -> int:
        protocol, is_unlucky = list(CALLS)[value // 1000], value % 1000 % UNLUCKY == UNLUCKY - 1
        start = time.perf_counter()
        await asyncio.sleep(WORK_SECONDS[protocol])
        if is_unlucky:
            raise ActionFailed("unlucky")
        books.works.setdefault(protocol, []).append(time.perf_counter() - start)
        return value

    thing.set_action_handler("work", work)
    thing.expose()
    return thing


async def _call(app: App, folder: RunFolder, protocol: str, books: Books, exposed: Any) -> None:
    client, base = CLIENTS[protocol](), list(CALLS).index(protocol) * 1000
    servient = Servient(clients=[client])
    with folder.recorder(protocol) as recorder:
        wot = measure(await servient.start(), recorder)
        thing = wot.consume(app.servient.td(app.servient.exposed("Lab")))
        received: list[int] = []
        subscription = thing.events["ticked"].subscribe(lambda event: received.append(event.data))
        for number in range(CALLS[protocol]):
            await _clocked(thing, base + number, books, protocol)
        await _emit_until_heard(exposed, received, base)
        subscription.dispose()
        books.events[protocol] = len(received)
        await client.close()
        await servient.shutdown()


async def _clocked(thing: Any, value: int, books: Books, protocol: str) -> None:
    start = time.perf_counter()
    try:
        assert await thing.invoke_action("work", value) == value
    except InteractionRefused:
        books.failed[protocol] = books.failed.get(protocol, 0) + 1
    else:
        books.calls.setdefault(protocol, []).append(time.perf_counter() - start)


async def _emit_until_heard(exposed: Any, received: list[int], base: int) -> None:
    """Events of others arrive, too: all that arrive are counted."""
    async with asyncio.timeout(60):
        while sum(1 for value in received if value // 1000 == base // 1000) < EVENTS:
            exposed.emit_event("ticked", base)
            await asyncio.sleep(0.01)


def _description(begun: float) -> RunDescription:
    network = NetworkFigures("loopback")
    names = ("server", *CALLS)
    nodes = tuple(NodeFigures(name, (name,), ("loopback",)) for name in names)
    return RunDescription(
        "books", begun, time.time() - begun, "none", networks=(network,), nodes=nodes
    )

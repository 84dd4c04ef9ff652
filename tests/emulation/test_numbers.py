"""The report's numbers are those of what happened: an application keeps its own books beside it."""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
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
# Between two readings of clocks, before and after a few lines of Python.
CLOCKS_SECONDS = 0.0005
ATTEMPTS = 3
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
    emitted: dict[int, float] = field(default_factory=dict)
    """When, by the event's data."""
    delays: dict[str, list[float]] = field(default_factory=dict)
    """Of events, from emission to receipt."""


async def test_counts_to_the_digit_and_durations_to_five_percent(
    settings: Callable[..., Config], tmp_path: Path
) -> None:
    """Counts hold in any case; durations where the machine was not busy with other things."""
    for attempt in range(ATTEMPTS):
        found, books = await _run(settings, RunFolder(tmp_path / str(attempt)))
        _compare_counts(found, books)
        if not (faults := list(_compare_durations(found, books))):
            return
    pytest.fail(f"not as clocked: {', '.join(faults)}")


async def _run(settings: Callable[..., Config], folder: RunFolder) -> tuple[dict[str, Any], Books]:
    books, begun = Books(), time.time()
    folder.make()
    with folder.recorder("server") as recorder:
        async with App(settings()) as app:
            witness_interactions(app.servient, recorder)
            exposed = _expose(app, books)
            callers = [_call(app, folder, protocol, books, exposed) for protocol in CALLS]
            await asyncio.gather(*callers)
    folder.write(_description(begun))
    [found] = make_report([folder.path]).documents()
    return found, books


def _compare_counts(found: dict[str, Any], books: Books) -> None:
    for protocol, calls in CALLS.items():
        figures, errors = found["byProtocol"][protocol], calls // UNLUCKY
        assert (
            (figures["calls"], figures["errors"])
            == (calls, errors)
            == (calls, books.failed[protocol])
        )
        assert figures["tied"] == len(books.calls[protocol]) == calls - errors
    assert found["calls"]["calls"] == sum(CALLS.values()) == found["exposedInteractions"]
    by_protocol = {each["protocol"]: each for each in found["eventsByAffordance"]}
    for protocol, delays in books.delays.items():
        assert by_protocol[protocol]["events"] == by_protocol[protocol]["tied"] == len(delays)
        assert len(delays) >= EVENTS
    assert found["subscriptions"] == {"begun": len(CALLS), "broken": 0}
    assert found["lostRecords"] == 0


def _compare_durations(found: dict[str, Any], books: Books) -> Iterator[str]:
    """The names of figures that are further off than the tolerance."""
    deliveries = {each["protocol"]: each for each in found["eventsByAffordance"]}
    for protocol in CALLS:
        figures, clocked = found["byProtocol"][protocol], sorted(books.calls[protocol])
        works, delays = books.works[protocol], sorted(books.delays[protocol])
        assert figures["handler"] >= WORK_SECONDS[protocol]
        assert figures["network"] == pytest.approx(figures["mean"] - figures["handler"])
        for name, reported, own in (
            ("mean", figures["mean"], fmean(clocked)),
            ("p50", figures["p50"], percentile(clocked, 0.5)),
            ("p95", figures["p95"], percentile(clocked, 0.95)),
            ("maximum", figures["maximum"], clocked[-1]),
            ("handler", figures["handler"], fmean(works)),
            ("delivery", deliveries[protocol]["mean"], fmean(delays)),
            ("delivery p95", deliveries[protocol]["p95"], percentile(delays, 0.95)),
        ):
            if reported != pytest.approx(own, rel=TOLERANCE, abs=CLOCKS_SECONDS):
                yield f"{protocol} {name}: {reported} for {own}"


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
        delays = books.delays.setdefault(protocol, [])

        def receive(event: Any) -> None:
            received.append(event.data)
            delays.append(time.time() - books.emitted[event.data])

        subscription = thing.events["ticked"].subscribe(receive)
        for number in range(CALLS[protocol]):
            await _clocked(thing, base + number, books, protocol)
        await _emit_until_heard(exposed, received, base, books)
        subscription.dispose()
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


async def _emit_until_heard(exposed: Any, received: list[int], base: int, books: Books) -> None:
    """Each event has data of its own. Those of others arrive, too: all that arrive are counted."""
    async with asyncio.timeout(60):
        for number in itertools.count():
            if sum(1 for value in received if value // 1000 == base // 1000) >= EVENTS:
                return
            books.emitted[base + number] = time.time()
            exposed.emit_event("ticked", base + number)
            await asyncio.sleep(0.01)


def _description(begun: float) -> RunDescription:
    network = NetworkFigures("loopback")
    names = ("server", *CALLS)
    nodes = tuple(NodeFigures(name, (name,), ("loopback",)) for name in names)
    return RunDescription(
        "books", begun, time.time() - begun, "none", networks=(network,), nodes=nodes
    )

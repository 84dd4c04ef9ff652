"""Calls, errors, subscriptions and events: how many, how long, over which protocol."""

from collections.abc import Mapping, Sequence

from emulation.report.drawing.lines import lines
from emulation.report.drawing.rows import Box, bars, boxes
from emulation.report.figures import (
    Delivery,
    Figures,
    Latency,
    Route,
    grouped,
    percentile,
    route_of,
)
from emulation.report.markup import Cell, Content, Markup, element, figure, section, table
from emulation.report.measurements import Call, Measurements
from emulation.report.numbers import bytes_cell, seconds_cell, seconds_text, share_cell

ROWS_LIMIT = 40
ERRORS_LIMIT = 30
LATENCY_HEADS = (
    "Calls",
    "Errors",
    "Error share",
    "Mean",
    "p50",
    "p90",
    "p95",
    "p99",
    "Max",
    "Network",
    "Handler",
    "Sent",
    "Received",
)
EVENT_HEADS = (
    "Protocol",
    "Thing",
    "Affordance",
    "Operation",
    "Events",
    "Each second",
    "Data",
    "Delivery, mean",
    "p50",
    "p95",
    "Max",
)


def section_of(run: Measurements, figures: Figures) -> Markup:
    return section(
        f"{run.prefix}interactions",
        "Interactions",
        element(
            "p",
            "Latencies are those of calls that succeeded, as their consumers saw them. “Handler” is the",
            " time that the producer worked on them, “Network” is the rest; means over the ",
            f"{run.ties.by_trace + run.ties.by_time:,} of {run.ties.calls:,} calls whose producer's",
            f" side is known ({run.ties.by_trace:,} by their trace, {run.ties.by_time:,} by time).",
        ),
        element("h3", "By protocol"),
        table(("Protocol", *LATENCY_HEADS), _by_protocol(figures)),
        _charts(run, figures),
        element("h3", "By protocol and affordance"),
        table(
            ("Protocol", "Thing", "Affordance", "Operation", *LATENCY_HEADS),
            [(*_names(route), *latency_cells(found)) for route, found in figures.by_route.items()],
        ),
        _network_and_handler(figures.by_route),
        element("h3", "By consumer"),
        table(
            ("Node", "Networks", "Protocol", *LATENCY_HEADS),
            [
                (node, _networks_of(run, node), protocol, *latency_cells(found))
                for (node, protocol), found in figures.by_node.items()
            ],
        ),
        _events(run, figures),
        _errors(run.calls),
    )


def latency_cells(found: Latency) -> tuple[Content | Cell, ...]:
    times = (found.mean, found.p50, found.p90, found.p95, found.p99, found.maximum)
    parts = (found.network, found.handler) if found.tied else ()
    return (
        found.calls,
        found.errors,
        share_cell(found.error_share, is_bad=found.errors > 0),
        *map(seconds_cell, times),
        *(map(seconds_cell, parts) if parts else ("n/a", "n/a")),
        bytes_cell(found.input_bytes),
        bytes_cell(found.output_bytes),
    )


def box_of(times: Sequence[float]) -> Box:
    ordered = sorted(times)
    low, quarter, median, three_quarters, high = (
        percentile(ordered, share) for share in (0.05, 0.25, 0.5, 0.75, 0.95)
    )
    return Box(low, quarter, median, three_quarters, high, len(ordered))


def _by_protocol(figures: Figures) -> list[tuple[Content | Cell, ...]]:
    rows: list[tuple[Content | Cell, ...]] = [
        (protocol or "unknown", *latency_cells(found))
        for protocol, found in figures.by_protocol.items()
    ]
    if len(rows) > 1:
        rows.append((element("b", "all"), *latency_cells(figures.total)))
    return rows


def _networks_of(run: Measurements, name: str) -> str:
    found = (node.networks for node in run.description.nodes if node.name == name)
    return ", ".join(next(found, ()))


def _names(route: Route) -> tuple[str, ...]:
    return (route.protocol, route.thing, route.affordance, route.operation)


def _charts(run: Measurements, figures: Figures) -> list[Markup]:
    done = [call for call in run.calls if not call.error]
    if not done:
        return []
    by_protocol = grouped(done, lambda call: call.protocol)
    rows = [(name, box_of([c.seconds for c in by_protocol[name]])) for name in sorted(by_protocol)]
    by_route = grouped(done, lambda call: f"{call.affordance} · {call.protocol}")
    routes = [(name, box_of([c.seconds for c in by_route[name]])) for name in sorted(by_route)]
    series = {
        name: _medians(run, by_protocol[name]) for name in sorted(by_protocol) if by_protocol[name]
    }
    return [
        figure(
            "Latency by protocol: median, quarters, 5th to 95th percentile",
            boxes("Latency by protocol", rows, seconds_text),
        ),
        figure(
            "Latency by affordance and protocol",
            boxes("Latency by affordance", routes[:ROWS_LIMIT], seconds_text),
        ),
        figure(
            "Median latency over time, by protocol",
            lines("Median latency over time", series, seconds_text, seconds=run.seconds),
        ),
        _network_and_handler(
            {Route(p, "", "", ""): found for p, found in figures.by_protocol.items()}
        ),
    ]


def _medians(run: Measurements, calls: Sequence[Call]) -> list[tuple[float, float]]:
    size = max(1.0, run.seconds / 120)
    bins = grouped(calls, lambda call: int((call.at - run.start) / size))
    return [
        ((number + 0.5) * size, percentile(sorted(c.seconds for c in bins[number]), 0.5))
        for number in sorted(bins)
    ]


def _network_and_handler(found: Mapping[Route, Latency]) -> Markup:
    rows = [
        (
            " · ".join(filter(None, (route.affordance, route.protocol))),
            {"handler": latency.handler, "network and protocols": latency.network},
        )
        for route, latency in found.items()
        if latency.tied
    ]
    if not rows:
        return Markup()
    drawing = bars("Handler time against network time", rows[:ROWS_LIMIT], seconds_text)
    return figure("Where the time went, on average: in the handler, and on the way", drawing)


def _events(run: Measurements, figures: Figures) -> list[Markup]:
    by_route = grouped(run.events, route_of)
    rows: list[tuple[Content | Cell, ...]] = [
        (
            *_names(route),
            len(by_route[route]),
            Cell(f"{len(by_route[route]) / (run.seconds or 1):.2f}", len(by_route[route])),
            bytes_cell(sum(event.data_bytes for event in by_route[route])),
            *_delivery_cells(figures.delivery_by_route[route]),
        )
        for route in sorted(by_route, key=_names)
    ]
    words = (
        f"{figures.subscriptions} began, {figures.broken_subscriptions} broke off. Deliveries take from"
        f" the emission to the subscriber's program; the emissions of {run.ties.heard:,} of"
        f" {run.ties.events:,} events are known, which is where no value came twice in a minute."
    )
    return [
        element("h3", "Subscriptions and events"),
        element("p", words),
        table(EVENT_HEADS, rows, empty="None."),
    ]


def _delivery_cells(found: Delivery) -> tuple[Content | Cell, ...]:
    times = (found.mean, found.p50, found.p95, found.maximum)
    return tuple(map(seconds_cell, times)) if found.tied else ("n/a",) * len(times)


def _errors(calls: Sequence[Call]) -> list[Markup]:
    by_text = grouped(
        (call for call in calls if call.error),
        lambda call: (call.error, call.protocol, call.affordance),
    )
    rows = [
        (len(found), protocol, affordance, error, ", ".join(sorted({c.replica for c in found})[:8]))
        for (error, protocol, affordance), found in by_text.items()
    ]
    rows.sort(reverse=True)
    heads = ("Times", "Protocol", "Affordance", "Error", "Consumers")
    return [element("h3", "Errors"), table(heads, rows[:ERRORS_LIMIT], empty="None.")]

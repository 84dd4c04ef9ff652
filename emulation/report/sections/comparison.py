"""Runs side by side: what is the same, and by how much the rest differs from the first."""

from collections.abc import Callable, Sequence

from emulation.report.drawing.rows import Box, boxes
from emulation.report.figures import Figures, Latency, Route
from emulation.report.markup import Cell, Content, Markup, element, figure, section, table
from emulation.report.measurements import Measurements
from emulation.report.numbers import bytes_text, seconds_text, share_text
from emulation.report.sections.interactions import box_of

# A difference that is worth a colour.
NOTEWORTHY_SHARE = 0.1
Runs = Sequence[tuple[Measurements, Figures]]


def section_of(runs: Runs) -> Markup:
    labels = [run.label for run, _ in runs]
    return section(
        "comparison",
        f"Comparison of {len(runs)} runs",
        element("p", f"Differences are to the first, {labels[0]}."),
        table(("", *labels), _totals(runs)),
        figure("Latency by protocol and run", boxes("Latency by run", _boxes(runs), seconds_text)),
        element("h3", "By protocol and affordance: p95, and how many calls and errors"),
        table(
            ("Protocol", "Thing", "Affordance", "Operation", *labels),
            [
                (
                    route.protocol,
                    route.thing,
                    route.affordance,
                    route.operation,
                    *_routes(runs, route),
                )
                for route in _all_routes(runs)
            ],
        ),
    )


def _totals(runs: Runs) -> list[list[Content | Cell]]:
    rows: tuple[tuple[str, Callable[[Figures], float], Callable[[float], str]], ...] = (
        ("Calls", lambda f: f.total.calls, _count),
        ("Errors", lambda f: f.total.errors, _count),
        ("Error share", lambda f: f.total.error_share, share_text),
        ("p50", lambda f: f.total.p50, seconds_text),
        ("p95", lambda f: f.total.p95, seconds_text),
        ("p99", lambda f: f.total.p99, seconds_text),
        ("Network, mean", lambda f: f.total.network, seconds_text),
        ("Handler, mean", lambda f: f.total.handler, seconds_text),
        ("Events", lambda f: f.events, _count),
        ("Delivery of events, p95", lambda f: f.deliveries.p95, seconds_text),
        ("Crashes", lambda f: f.crashes, _count),
        ("Traffic", lambda f: sum(load.data_bytes for load in f.networks.values()), bytes_text),
        ("Dropped packets", lambda f: sum(load.dropped for load in f.networks.values()), _count),
        ("Host processors, mean", lambda f: f.host_cpu, share_text),
    )
    return [
        [name, *_cells([value(figures) for _, figures in runs], text)] for name, value, text in rows
    ]


def _cells(values: Sequence[float], text: Callable[[float], str]) -> list[Cell]:
    first = values[0]
    return [Cell(text(first), first)] + [
        Cell(f"{text(value)}{_change(first, value)}", value, _look(first, value))
        for value in values[1:]
    ]


def _change(first: float, value: float) -> str:
    if not first or value == first:
        return ""
    return f" ({(value - first) / first:+.0%})"


def _look(first: float, value: float) -> str | None:
    is_far = abs(value - first) > NOTEWORTHY_SHARE * abs(first)
    return "changed" if is_far else None


def _routes(runs: Runs, route: Route) -> list[Content | Cell]:
    found = [figures.by_route.get(route) for _, figures in runs]
    first = found[0].p95 if found[0] else 0.0
    return [_route(first, latency, index) for index, latency in enumerate(found)]


def _route(first: float, latency: Latency | None, index: int) -> Content | Cell:
    if latency is None:
        return "none"
    change = _change(first, latency.p95) if index else ""
    counts = f"; {latency.calls:,} calls, {latency.errors:,} errors"
    look = _look(first, latency.p95) if index and first else None
    return Cell(f"{seconds_text(latency.p95)}{change}{counts}", latency.p95, look)


def _all_routes(runs: Runs) -> list[Route]:
    return list(dict.fromkeys(route for _, figures in runs for route in figures.by_route))


def _boxes(runs: Runs) -> list[tuple[str, Box]]:
    protocols = sorted({protocol for _, figures in runs for protocol in figures.by_protocol})
    return [
        (f"{protocol} · {run.label}", box_of(times))
        for protocol in protocols
        for run, _ in runs
        if (times := [c.seconds for c in run.calls if c.protocol == protocol and not c.error])
    ]


def _count(number: float) -> str:
    return f"{number:,.0f}"

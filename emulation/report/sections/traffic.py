"""What the networks carried: over time, from whom to whom, by protocol; and what they did not."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

from emulation.metrics.records import TrafficRecord
from emulation.report.drawing.heat import matrix
from emulation.report.drawing.lines import lines
from emulation.report.figures import Figures, grouped
from emulation.report.markup import Cell, Markup, element, figure, section, table
from emulation.report.measurements import Measurements
from emulation.report.numbers import bytes_cell, bytes_text, rate_cell, rate_text, share_cell

FULL_SHARE = 0.9
MATRIX_LIMIT = 40


def section_of(run: Measurements, figures: Figures) -> Markup:
    if not run.traffic:
        words = "Nobody could count packets here."
        return section(f"{run.prefix}traffic", "Networks", element("p", words, class_="empty"))
    return section(
        f"{run.prefix}traffic",
        "Networks",
        element("h3", "Use of the networks"),
        _use(figures),
        figure("Traffic over time, by network", _over_time(run)),
        element("h3", "Service traffic"),
        _heatmaps(run),
        _by_protocol(run),
        _drops(run),
    )


def rates(run: Measurements, records: Sequence[TrafficRecord]) -> list[tuple[float, float]]:
    """Bits per second in each second of the run, those without any as well."""
    totals: Counter[int] = Counter()
    for record in records:
        totals[int(record.at - run.start)] += record.data_bytes * 8
    whole = max(1, round(run.seconds))  # a last second that is cut off would look like a fall
    return [(second + 0.5, float(totals[second])) for second in range(whole)]


def outages(run: Measurements) -> list[tuple[float, float, str]]:
    """When a network was down, as was asked for."""
    found = []
    for network in run.description.networks:
        changes = [*network.changes, (run.seconds, "")]
        found += [
            (begin, min(end, run.seconds), f"{network.name} is down")
            for (begin, text), (end, _) in pairwise(changes)
            if text.startswith("down") and begin < run.seconds
        ]
    return found


def _use(figures: Figures) -> Markup:
    heads = (
        "Network",
        "Packets",
        "Bytes",
        "Mean",
        "Peak second",
        "Mean use",
        "Peak use",
        "Dropped",
    )
    return table(
        (*heads, "Drop share"),
        [
            (
                load.network,
                load.packets,
                bytes_cell(load.data_bytes),
                rate_cell(load.mean_bit_rate),
                rate_cell(load.peak_bit_rate),
                share_cell(load.utilisation, is_bad=(load.utilisation or 0) > FULL_SHARE),
                share_cell(load.peak_utilisation),
                load.dropped,
                share_cell(load.drop_share),
            )
            for load in figures.networks.values()
        ],
    )


def _over_time(run: Measurements) -> Markup:
    by_network = grouped(run.traffic, lambda record: record.network)
    series = {name: rates(run, by_network[name]) for name in sorted(by_network)}
    return lines("Traffic over time", series, rate_text, seconds=run.seconds, bands=outages(run))


def _heatmaps(run: Measurements) -> list[Markup]:
    def heat(
        title: str,
        row: Callable[[TrafficRecord], str],
        column: Callable[[TrafficRecord], str],
    ) -> Markup:
        values: Counter[tuple[str, str]] = Counter()
        for record in run.traffic:
            if record.data_bytes:  # what was dropped is told elsewhere, not always with both ends
                values[row(record), column(record)] += record.data_bytes
        rows = sorted({pair[0] for pair in values})
        columns = sorted({pair[1] for pair in values})
        if max(len(rows), len(columns)) > MATRIX_LIMIT:
            return Markup()
        counts = {pair: float(count) for pair, count in values.items()}
        return figure(title, matrix(title, rows, columns, counts, bytes_text))

    def sender(record: TrafficRecord) -> str:
        return run.node_of(record.sender)

    def receiver(record: TrafficRecord) -> str:
        return run.node_of(record.receiver)

    return [
        heat("Out: what nodes sent, by protocol", sender, lambda record: record.protocol),
        heat("In: what nodes received, by protocol", receiver, lambda record: record.protocol),
        heat("From node (row) to node (column)", sender, receiver),
    ]


def _by_protocol(run: Measurements) -> list[Markup]:
    groups = grouped(run.traffic, lambda r: (r.network, r.protocol))
    rows = [
        (
            network,
            protocol,
            sum(record.packets for record in found),
            bytes_cell(sum(record.data_bytes for record in found)),
            sum(record.dropped for record in found),
        )
        for (network, protocol), found in sorted(groups.items())
    ]
    heads = ("Network", "Protocol", "Packets", "Bytes", "Dropped")
    return [element("h3", "By protocol"), table(heads, rows)]


def _drops(run: Measurements) -> list[Markup]:
    lost = [record for record in run.traffic if record.dropped]
    groups = grouped(lost, lambda r: (r.network, r.sender, r.receiver, r.reason or "unknown"))
    counted = sorted(
        ((sum(r.dropped for r in found), *key) for key, found in groups.items()), reverse=True
    )
    rows: list[tuple[str | Cell, ...]] = [
        (*(str(name) or "any" for name in key), Cell(f"{count:,}", count))
        for count, *key in counted
    ]
    heads = ("Network", "From", "To", "Reason", "Packets")
    return [element("h3", "Dropped packets"), table(heads, rows, empty="None.")]

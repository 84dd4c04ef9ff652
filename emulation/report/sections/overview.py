"""The beginning of a report: what ran, whether to believe it, and whether it passed."""

from collections.abc import Sequence
from datetime import UTC, datetime

from emulation.report.drawing.topology import topology
from emulation.report.figures import Figures
from emulation.report.markup import Markup, element, figure, section, table
from emulation.report.measurements import Measurements
from emulation.report.numbers import (
    bytes_cell,
    bytes_text,
    rate_text,
    seconds_cell,
    seconds_text,
    share_text,
)
from emulation.report.thresholds import Verdict


def banner(reasons: Sequence[str]) -> Markup | None:
    """A warning that the host was the bottleneck; nothing when it kept up."""
    if not reasons:
        return None
    return element(
        "div",
        element("strong", "The host was the bottleneck. "),
        "Latencies and rates measure this machine at least as much as what was emulated: ",
        "; ".join(reasons),
        ".",
        class_="banner",
        role="alert",
    )


def summary(run: Measurements, figures: Figures) -> Markup:
    description = run.description
    begun = datetime.fromtimestamp(run.start, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    total = figures.total
    cards = (
        ("Duration", seconds_text(run.seconds), begun),
        ("Replicas", str(len(run.replicas)), f"{figures.crashes} crashes"),
        ("Calls", f"{total.calls:,}", f"{figures.call_rate:.1f} each second"),
        ("Errors", f"{total.errors:,}", share_text(total.error_share)),
        ("Latency", seconds_text(total.p50), f"95 % within {seconds_text(total.p95)}"),
        ("Events", f"{figures.events:,}", f"{figures.subscriptions} subscriptions"),
        ("Traffic", _traffic(figures), _drops(figures)),
        ("Host", share_text(figures.host_cpu), f"of {description.cores} cores; {_peak(figures)}"),
    )
    how = (description.backend, *description.mechanism, f"seed {description.seed}")
    return section(
        f"{run.prefix}summary",
        "Summary",
        element("div", [_card(*card) for card in cards], class_="cards"),
        element("p", "How it was emulated: ", "; ".join(how), "."),
    )


def _card(title: str, value: str, rest: str) -> Markup:
    return element(
        "div", element("h3", title), element("b", value), element("span", rest), class_="card"
    )


def _traffic(figures: Figures) -> str:
    if not figures.networks:
        return "not counted"
    return bytes_text(sum(load.data_bytes for load in figures.networks.values()))


def _drops(figures: Figures) -> str:
    return f"{sum(load.dropped for load in figures.networks.values()):,} packets dropped"


def _peak(figures: Figures) -> str:
    return f"peak {share_text(figures.peak_host_cpu)}"


def thresholds(verdicts: Sequence[Verdict]) -> Markup | None:
    if not verdicts:
        return None
    failed = sum(1 for verdict in verdicts if not verdict.passed)
    rows = [
        (
            verdict.threshold.text,
            "nothing measured" if verdict.value is None else f"{verdict.value:.6g}",
            element("span", *_words(verdict.passed), class_="good" if verdict.passed else "bad"),
        )
        for verdict in verdicts
    ]
    title = (
        f"Thresholds: {failed} of {len(verdicts)} failed" if failed else "Thresholds: all passed"
    )
    return section("thresholds", title, table(("Threshold", "Reached", "Verdict"), rows))


def _words(passed: bool) -> tuple[str]:
    return ("passed",) if passed else ("FAILED",)


def description(run: Measurements) -> Markup:
    networks, nodes = run.description.networks, run.description.nodes
    return section(
        f"{run.prefix}topology",
        "Topology",
        figure("Nodes and the networks they are in", topology(networks, nodes)),
        element("h3", "Networks, as asked for"),
        table(
            ("Network", "Conditions", "Latency", "Jitter", "Rate", "Loss", "Line", "Changes"),
            [
                (
                    each.name,
                    each.conditions,
                    seconds_cell(each.latency_ms / 1000),
                    seconds_cell(each.jitter_ms / 1000),
                    rate_text(each.rate_kbit * 1000) if each.rate_kbit else "no limit",
                    f"{each.loss_percent:g} %",
                    "shared" if each.is_shared else "one for each replica",
                    "; ".join(f"{at:g} s: {text}" for at, text in each.changes),
                )
                for each in networks
            ],
        ),
        element("h3", "Nodes"),
        table(
            (
                "Node",
                "Replicas",
                "Application",
                "Parameters",
                "Serves",
                "Networks",
                "Cores",
                "Memory",
            ),
            [
                (
                    node.name,
                    len(node.replicas),
                    node.app,
                    ", ".join(f"{name}={value}" for name, value in node.params.items()),
                    ", ".join(node.protocols),
                    ", ".join(node.networks),
                    f"{node.cpu_cores:g}" if node.cpu_cores else "no limit",
                    bytes_cell(node.memory_bytes) if node.memory_bytes else "no limit",
                )
                for node in nodes
            ],
        ),
    )

"""The figures of runs as a JSON document, for programs."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from emulation.report.figures import Figures, Latency
from emulation.report.measurements import Measurements
from emulation.report.saturation import bottlenecks
from emulation.report.thresholds import Verdict


def to_document(run: Measurements, figures: Figures, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Times in seconds, sizes in bytes, shares between 0 and 1."""
    return {
        "run": run.label,
        "description": asdict(run.description),
        "bottlenecks": bottlenecks(run),
        "lostRecords": run.lost_records,
        "ties": asdict(run.ties),
        "calls": _latency(figures.total),
        "callsPerSecond": figures.call_rate,
        "byProtocol": {name: _latency(found) for name, found in figures.by_protocol.items()},
        "byAffordance": [
            {**asdict(route), **_latency(found)} for route, found in figures.by_route.items()
        ],
        "byNode": [
            {"node": node, "protocol": protocol, **_latency(found)}
            for (node, protocol), found in figures.by_node.items()
        ],
        "exposedInteractions": figures.works,
        "subscriptions": {"begun": figures.subscriptions, "broken": figures.broken_subscriptions},
        "events": figures.events,
        "deliveries": asdict(figures.deliveries),
        "eventsByAffordance": [
            {**asdict(route), **asdict(found)} for route, found in figures.delivery_by_route.items()
        ],
        "networks": [
            {**asdict(load), "dropShare": load.drop_share} for load in figures.networks.values()
        ],
        "replicas": [asdict(usage) for usage in figures.usage.values()],
        "host": {"cpu": figures.host_cpu, "peakCpu": figures.peak_host_cpu},
        "crashes": figures.crashes,
        "thresholds": [
            {
                "threshold": verdict.threshold.text,
                "value": verdict.value,
                "passed": verdict.passed,
            }
            for verdict in verdicts
        ],
    }


def _latency(found: Latency) -> dict[str, Any]:
    return {**asdict(found), "errorShare": found.error_share}

"""What is counted as text for Prometheus, or as OpenMetrics where that is asked for."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from servient.telemetry.metrics.family import PREFIX, Counter, Durations, Family, Gauge, Labels
from servient.telemetry.metrics.histogram import Histogram
from servient.wot.content import Content

if TYPE_CHECKING:
    from prometheus_client import Metric

Seen: TypeAlias = list[tuple[Family, dict[Labels, Any]]]


class Exposition:
    """All families. Their values are read on the event loop, and written as text beside it."""

    def __init__(self) -> None:
        self._families: list[Family] = []

    def add(self, *families: Family) -> None:
        self._families += families

    async def write(self, accept: str, sees: Callable[[str], bool]) -> Content:
        """In the format that `accept`, a header's text, prefers.

        `sees` says of the name of a Thing whether who asks may know of it.
        """
        seen = [(family, _copied(family.visible(sees))) for family in self._families]
        return await asyncio.to_thread(_to_text, seen, accept)


def _copied(values: dict[Labels, Any]) -> dict[Labels, Any]:
    """Of what changes with every invocation, the present state."""
    return {
        labels: value.copy() if isinstance(value, Histogram) else value
        for labels, value in values.items()
    }


def _to_text(seen: Seen, accept: str) -> Content:
    # Here, since importing it takes a while, and few servients are asked.
    from prometheus_client import ProcessCollector  # noqa: PLC0415
    from prometheus_client.exposition import choose_encoder  # noqa: PLC0415

    encode, media_type = choose_encoder(accept)
    return Content(encode(_Snapshot(seen, ProcessCollector(registry=None).collect())), media_type)


class _Snapshot:
    """In the place of a registry: its encoders ask it for nothing else."""

    def __init__(self, seen: Seen, process: Iterable["Metric"]) -> None:
        self._seen = seen
        self._process = process

    def collect(self) -> Iterator["Metric"]:
        for family, values in self._seen:
            yield _to_metric(family, values)
        yield from self._process


def _to_metric(family: Family, values: dict[Labels, Any]) -> "Metric":
    from prometheus_client.core import (  # noqa: PLC0415 - as above
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
    )

    name, text, labels = PREFIX + family.name, family.help, family.labels
    metric: CounterMetricFamily | GaugeMetricFamily
    match family:
        case Durations():
            histogram = HistogramMetricFamily(name, text, labels=labels)
            for of, value in values.items():
                histogram.add_metric(of, list(value.buckets()), value.sum_seconds)
            return histogram
        case Counter():
            metric = CounterMetricFamily(name, text, labels=labels)
        case Gauge():
            metric = GaugeMetricFamily(name, text, labels=labels)
    for of, value in values.items():
        metric.add_metric(of, value)
    return metric

"""The figures of a run: counts, percentiles, shares; what thresholds and comparisons speak of."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from emulation.metrics.records import Change, State
from emulation.report.measurements import Call, Event, Measurements

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Latency:
    """Of calls that are alike. Times are seconds, of those that succeeded; 0 where there is none.

    `network` and `handler` are means over the `tied` calls, whose producer's side is known.
    """

    calls: int
    errors: int
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    maximum: float
    tied: int
    network: float
    handler: float
    input_bytes: int
    output_bytes: int

    @property
    def error_share(self) -> float:
        return self.errors / self.calls if self.calls else 0.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """Of events that are alike, in seconds from emission to receipt: of those whose emission is known."""

    events: int
    tied: int
    mean: float
    p50: float
    p95: float
    maximum: float


@dataclass(frozen=True, slots=True)
class Route:
    """What calls have in common that go the same way to the same affordance."""

    protocol: str
    thing: str
    affordance: str
    operation: str


@dataclass(frozen=True, slots=True)
class NetworkLoad:
    """What a network carried in all; `utilisation` is the mean share of its rate, None without one."""

    network: str
    packets: int
    data_bytes: int
    dropped: int
    mean_bit_rate: float
    peak_bit_rate: float
    utilisation: float | None
    peak_utilisation: float | None

    @property
    def drop_share(self) -> float:
        sent = self.packets + self.dropped
        return self.dropped / sent if sent else 0.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What a replica used: mean and peak."""

    replica: str
    cpu: float
    peak_cpu: float
    memory_bytes: float
    peak_memory_bytes: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything of a run that is a number."""

    total: Latency
    by_protocol: dict[str, Latency]
    by_route: dict[Route, Latency]
    by_node: dict[tuple[str, str], Latency]
    """By the consumer's node and the protocol: what comes through the same networks is together."""
    works: int
    subscriptions: int
    broken_subscriptions: int
    deliveries: Delivery
    delivery_by_route: dict[Route, Delivery]
    networks: dict[str, NetworkLoad]
    usage: dict[str, Usage]
    host_cpu: float
    peak_host_cpu: float
    crashes: int
    call_rate: float

    @property
    def events(self) -> int:
        return self.deliveries.events


def percentile(ordered: Sequence[float], share: float) -> float:
    """Of numbers in ascending order, interpolated between the two next to it; 0 of none."""
    if not ordered:
        return 0.0
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def grouped(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    groups: dict[K, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def latency_of(calls: Sequence[Call]) -> Latency:
    times = sorted(call.seconds for call in calls if not call.error)
    tied = [call for call in calls if call.handler_seconds is not None and not call.error]
    return Latency(
        len(calls),
        sum(1 for call in calls if call.error),
        mean(times),
        percentile(times, 0.5),
        percentile(times, 0.9),
        percentile(times, 0.95),
        percentile(times, 0.99),
        times[-1] if times else 0.0,
        len(tied),
        mean([call.network_seconds or 0.0 for call in tied]),
        mean([call.handler_seconds or 0.0 for call in tied]),
        sum(call.input_bytes for call in calls),
        sum(call.output_bytes for call in calls),
    )


def delivery_of(events: Sequence[Event]) -> Delivery:
    times = sorted(each.delivery_seconds for each in events if each.delivery_seconds is not None)
    return Delivery(
        len(events),
        len(times),
        mean(times),
        percentile(times, 0.5),
        percentile(times, 0.95),
        times[-1] if times else 0.0,
    )


def route_of(record: "Call | object") -> Route:
    """Of a call or an event."""
    return Route(*(getattr(record, name) for name in Route.__slots__))


def figures_of(run: Measurements) -> Figures:
    by_route = grouped(run.calls, route_of)
    begun = [each for each in run.subscriptions if each.change == Change.BEGUN]
    broken = [each for each in run.subscriptions if each.change == Change.FAILED]
    events = grouped(run.events, route_of)
    shares = [sample.cpu for sample in run.host]
    return Figures(
        latency_of(run.calls),
        {k: latency_of(v) for k, v in sorted(grouped(run.calls, lambda c: c.protocol).items())},
        {
            k: latency_of(by_route[k])
            for k in sorted(
                by_route, key=lambda r: (r.thing, r.affordance, r.operation, r.protocol)
            )
        },
        {
            key: latency_of(found)
            for key, found in sorted(
                grouped(run.calls, lambda c: (run.node_of(c.replica), c.protocol)).items()
            )
        },
        len(run.works),
        len(begun),
        len(broken),
        delivery_of(run.events),
        {route: delivery_of(found) for route, found in events.items()},
        {network: load for network in _networks(run) if (load := _load(run, network))},
        {replica: usage for replica in run.replicas if (usage := _usage(run, replica))},
        mean(shares),
        max(shares, default=0.0),
        sum(1 for state in run.states if state.state == State.CRASHED),
        len(run.calls) / run.seconds if run.seconds else 0.0,
    )


def _networks(run: Measurements) -> list[str]:
    described = [network.name for network in run.description.networks]
    return list(dict.fromkeys((*described, *(record.network for record in run.traffic))))


def _load(run: Measurements, network: str) -> NetworkLoad | None:
    records = [record for record in run.traffic if record.network == network]
    if not records:
        return None
    data_bytes = sum(record.data_bytes for record in records)
    by_second = grouped(records, lambda record: int(record.at - run.start))
    peak = max(sum(r.data_bytes for r in found) for found in by_second.values()) * 8.0
    average = data_bytes * 8 / run.seconds if run.seconds else 0.0
    asked = next((each for each in run.description.networks if each.name == network), None)
    # Lines of its own for each replica have no common rate to have a share of.
    rate = asked.rate_kbit * 1000 if asked and asked.rate_kbit and asked.is_shared else None
    return NetworkLoad(
        network,
        sum(record.packets for record in records),
        data_bytes,
        sum(record.dropped for record in records),
        average,
        peak,
        average / rate if rate else None,
        peak / rate if rate else None,
    )


def _usage(run: Measurements, replica: str) -> Usage | None:
    samples = run.usage_of.get(replica)
    if not samples:
        return None
    memory = [float(sample.memory_bytes) for sample in samples]
    return Usage(
        replica,
        mean([sample.cpu for sample in samples]),
        max(sample.cpu for sample in samples),
        mean(memory),
        max(sample.memory_bytes for sample in samples),
    )

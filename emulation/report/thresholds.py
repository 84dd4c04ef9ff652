"""Conditions on a run that pass or fail: `p95 < 300ms`, `http errors <= 1%`, `crashes == 0`."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from emulation.errors import EmulationError
from emulation.report.figures import Figures, Latency, latency_of
from emulation.report.measurements import Call, Measurements

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "%": 0.01, "kB": 1e3, "MB": 1e6, "/s": 1.0}

# Of calls, all of them or some.
OF_CALLS: dict[str, Callable[[Latency], float]] = {
    "calls": lambda found: found.calls,
    "failed": lambda found: found.errors,
    "errors": lambda found: found.error_share,
    "mean": lambda found: found.mean,
    "p50": lambda found: found.p50,
    "p90": lambda found: found.p90,
    "p95": lambda found: found.p95,
    "p99": lambda found: found.p99,
    "max": lambda found: found.maximum,
    "network": lambda found: found.network,
    "handler": lambda found: found.handler,
}
OF_RUN: dict[str, Callable[[Figures], float]] = {
    "rate": lambda found: found.call_rate,
    "events": lambda found: found.events,
    "delivery": lambda found: found.deliveries.p95,
    "crashes": lambda found: found.crashes,
    "drops": lambda found: max((load.drop_share for load in found.networks.values()), default=0.0),
    "host_cpu": lambda found: found.host_cpu,
    "cpu": lambda found: max((usage.peak_cpu for usage in found.usage.values()), default=0.0),
    "memory": lambda found: max(
        (float(usage.peak_memory_bytes) for usage in found.usage.values()), default=0.0
    ),
}
_FORM = re.compile(
    r"\s*(?:(?P<scope>[^<>=\s]+)\s+)?(?P<metric>\w+)\s*(?P<operator><=|>=|==|<|>)"
    r"\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|%|kB|MB|/s|)\s*"
)


class InvalidThreshold(EmulationError):
    """A condition that is not understood; says what would be."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A metric of the calls in a scope, compared with a number of seconds, shares or bytes.

    The scope is a protocol, a Thing, an affordance or a replica by its name; "" is all calls.
    """

    text: str
    metric: str
    operator: str
    limit: float
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a run meets a threshold, and what it reached; None where nothing was measured."""

    threshold: Threshold
    value: float | None
    passed: bool


def parse_threshold(text: str) -> Threshold:
    """Raises InvalidThreshold."""
    match = _FORM.fullmatch(text)
    if match is None or match["metric"] not in OF_CALLS.keys() | OF_RUN.keys():
        known = ", ".join((*OF_CALLS, *OF_RUN))
        message = f"{text!r} is no threshold such as `http p95 < 300ms`; metrics are {known}"
        raise InvalidThreshold(message)
    scope = match["scope"] or ""
    if scope and match["metric"] in OF_RUN:
        raise InvalidThreshold(f"{text!r}: {match['metric']} is of the run as a whole")
    limit = float(match["number"]) * UNITS[match["unit"]]
    return Threshold(text.strip(), match["metric"], match["operator"], limit, scope)


def judge(threshold: Threshold, run: Measurements, figures: Figures) -> Verdict:
    """A threshold for what never happened is not met, unless it is on a count."""
    if threshold.metric in OF_RUN:
        value: float | None = OF_RUN[threshold.metric](figures)
    else:
        value = _of_calls(threshold, run)
    passed = value is not None and OPERATORS[threshold.operator](value, threshold.limit)
    return Verdict(threshold, value, passed)


def _of_calls(threshold: Threshold, run: Measurements) -> float | None:
    calls = [call for call in run.calls if _is_in(threshold.scope, call, run)]
    is_count = threshold.metric in ("calls", "failed")
    is_time = not is_count and threshold.metric != "errors"
    counted = [call for call in calls if not call.error] if is_time else calls
    if not counted and not is_count:
        return None
    return OF_CALLS[threshold.metric](latency_of(calls))


def _is_in(scope: str, call: Call, run: Measurements) -> bool:
    names = (call.protocol, call.thing, call.affordance, call.replica, run.node_of(call.replica))
    pairs = (f"{call.thing}/{call.affordance}", f"{call.protocol}/{call.affordance}")
    return not scope or scope in names or scope in pairs

"""Tables for people, and one line of JSON for programs, of what was measured on the wires."""

from collections.abc import Mapping
from typing import Any

from benchmarks.measuring import Points, ratio
from benchmarks.peers.contender import Case, Operation, Wire

OURS = "ours"
HEADING = (
    "contender",
    "c",
    "answers/s",
    "p50 ms",
    "p99 ms",
    "CPU µs",
    "peak MB",
    "ours / it",
    "generator",
)
# Which ratio has which name: a case, and whom ours is compared with there.
RATIOS: Mapping[str, tuple[Case, str]] = {
    f"{wire}_{operation}_vs_{title}": ((wire, operation), other)
    for wire, pairs in {
        Wire.HTTP: (("nodewot", "nodewot"), ("wotpy", "wotpy"), ("hello", "uvicorn")),
        Wire.COAP: (("nodewot", "nodewot"), ("wotpy", "wotpy"), ("hello", "aiocoap")),
        Wire.WEBSOCKET: (("echo", "tornado"), ("wotpy", "wotpy")),
        Wire.MQTT: (("nodewot", "nodewot"), ("wotpy", "wotpy"), ("echo", "paho")),
    }.items()
    for operation in (Operation.INVOKE, Operation.READ)
    for title, other in pairs
}
COMPARED_AT = 16


def tables(points: Points, titles: Mapping[str, str]) -> str:
    """One table per case: medians of the rounds."""
    found = []
    for case in dict.fromkeys(case for case, _, _ in points):
        rows: list[tuple[str, ...]] = [HEADING]
        for (other, concurrency, name), point in points.items():
            if other != case:
                continue
            median = point.medians()
            gain = ratio(points, case, concurrency, OURS, name)
            wrong = f" ({median['wrong']:.0f} wrong or lost)" if median["wrong"] else ""
            rows.append(
                (
                    titles[name],
                    str(concurrency),
                    f"{median['rates']:,.0f}{wrong}",
                    f"{median['p50_ms']:.2f}",
                    f"{median['p99_ms']:.2f}",
                    f"{median['cpu_us']:,.0f}",
                    f"{median['peak_mb']:.0f}",
                    "" if gain is None or name == OURS else f"{gain:.2f}",
                    f"{median['generator_cpu']:.0%}",
                )
            )
        found.append(f"\n{_title(case)}\n{_aligned(rows)}")
    return "\n".join(found)


def _title(case: Case) -> str:
    wire, operation = case
    if operation is Operation.ORCHESTRATOR:
        return (
            "## http: execute over the orchestrator's route and fetch the result (pairs per second)"
        )
    return f"## {wire}: {operation}"


def _aligned(rows: list[tuple[str, ...]]) -> str:
    """As a table in Markdown, which is to be read as it is, too."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| "
        + " | ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def document(points: Points) -> dict[str, Any]:
    """Ratios at 16 at a time, medians of the rounds; and everything that was measured."""
    return {
        "ratios": {name: round(value, 3) for name, value in _ratios(points).items()},
        "medians": [
            {
                "wire": wire,
                "operation": operation,
                "concurrency": concurrency,
                "contender": name,
                **{key: round(value, 3) for key, value in point.medians().items()},
            }
            for ((wire, operation), concurrency, name), point in points.items()
        ],
    }


def _ratios(points: Points) -> dict[str, float]:
    found = {}
    for name, (case, other) in RATIOS.items():
        value = ratio(points, case, COMPARED_AT, OURS, other)
        if value is not None:
            found[name] = value
    pairs = points.get(((Wire.HTTP, Operation.ORCHESTRATOR), COMPARED_AT, OURS))
    hello = points.get(((Wire.HTTP, Operation.READ), COMPARED_AT, "uvicorn")) or points.get(
        ((Wire.HTTP, Operation.INVOKE), COMPARED_AT, "uvicorn")
    )
    if pairs is not None and hello is not None:
        found["orchestrator_vs_hello"] = pairs.medians()["rates"] / hello.medians()["rates"]
    return found

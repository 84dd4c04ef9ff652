"""Each replica: its life, what it used, sent, asked, answered and wrote."""

from collections.abc import Sequence

from emulation.metrics.records import InteractionRecord, State, StateRecord, TrafficRecord
from emulation.report.drawing.heat import moments
from emulation.report.drawing.lines import lines
from emulation.report.drawing.rows import Stretch, boxes, timeline
from emulation.report.figures import Figures, grouped
from emulation.report.markup import Cell, Markup, element, figure, section, table
from emulation.report.measurements import Call, Measurements
from emulation.report.numbers import bytes_cell, bytes_text, seconds_text
from emulation.report.sections.interactions import box_of
from emulation.report.sections.traffic import rates

BOXES_LIMIT = 20


def section_of(run: Measurements, figures: Figures) -> Markup:
    states = grouped(run.states, lambda state: state.replica)
    rows = [(name, _life(run, states.get(name, []))) for name in run.replicas]
    return section(
        f"{run.prefix}replicas",
        "Replicas",
        figure("When each replica ran", timeline("Timeline", rows, seconds=run.seconds)),
        table(
            (
                "Replica",
                "Node",
                "State",
                "Starts",
                "Crashes",
                "Calls",
                "Errors",
                "Served",
                "Events",
                "Last error",
            ),
            [_row(run, name, states.get(name, [])) for name in run.replicas],
        ),
        [_details(run, figures, name, states.get(name, [])) for name in run.replicas],
    )


def anchor_of(run: Measurements, replica: str) -> str:
    return f"{run.prefix}replica-{replica}"


def _life(run: Measurements, states: Sequence[StateRecord]) -> list[Stretch]:
    """From each start to the end or crash after it; crashes as marks."""
    found: list[Stretch] = []
    begun: float | None = None
    for state in states:
        at = state.at - run.start
        if state.state == State.STARTED:
            begun = at
        elif state.state in (State.CRASHED, State.ENDED):
            if begun is not None:
                found.append(Stretch(begun, at, "fill c0", f"ran from {begun:.1f} to {at:.1f} s"))
                begun = None
            if state.state == State.CRASHED:
                found.append(
                    Stretch(at, at, "crash", f"crashed at {at:.1f} s: {state.detail[:200]}")
                )
    if begun is not None:
        found.append(Stretch(begun, run.seconds, "fill c0", f"ran from {begun:.1f} s to the end"))
    return found


def _row(
    run: Measurements, name: str, states: Sequence[StateRecord]
) -> list[str | Cell | Markup | int]:
    calls = run.calls_of.get(name, [])
    crashes = [state for state in states if state.state == State.CRASHED]
    return [
        element("a", name, href=f"#{anchor_of(run, name)}"),
        run.node_of(name),
        str(states[-1].state) if states else "unknown",
        sum(1 for state in states if state.state == State.STARTED),
        Cell(str(len(crashes)), len(crashes), "bad" if crashes else None),
        len(calls),
        sum(1 for call in calls if call.error),
        len(run.works_of.get(name, [])),
        len(run.events_of.get(name, [])),
        crashes[-1].detail[:300] if crashes else "",
    ]


def _details(
    run: Measurements, figures: Figures, name: str, states: Sequence[StateRecord]
) -> Markup:
    usage = figures.usage.get(name)
    words = f"{usage.cpu:.3g} cores, {bytes_text(usage.memory_bytes)}" if usage else "not sampled"
    calls = len(run.calls_of.get(name, []))
    return element(
        "details",
        element("summary", element("b", name), f" — {words}, {calls:,} calls"),
        _states(run, states),
        _usage(run, name),
        _transfer(run, name),
        _latencies(run, name),
        _counts(run, name),
        _moments(run, name),
        _log(run, name),
        id=anchor_of(run, name),
    )


def _states(run: Measurements, states: Sequence[StateRecord]) -> Markup:
    rows = [
        (Cell(f"{each.at - run.start:.2f} s", each.at), str(each.state), each.detail)
        for each in states
    ]
    return table(("At", "State", "Detail"), rows, "Life", empty="Nothing is known of its life.")


def _usage(run: Measurements, name: str) -> list[Markup]:
    samples = run.usage_of.get(name, [])
    if not samples:
        return []
    memory = {"memory": [(s.at - run.start, float(s.memory_bytes)) for s in samples]}
    cpu = {"processors": [(s.at - run.start, s.cpu) for s in samples]}
    return [
        figure("Memory", lines("Memory", memory, bytes_text, seconds=run.seconds)),
        figure(
            "Processors, in cores", lines("CPU", cpu, lambda y: f"{y:.3g}", seconds=run.seconds)
        ),
    ]


def _transfer(run: Measurements, name: str) -> list[Markup]:
    sent, received = run.sent_by.get(name, []), run.received_by.get(name, [])
    if not (sent or received):
        return []
    series = {"sent": rates(run, sent), "received": rates(run, received)}
    return [
        figure(
            "Transfer",
            lines("Transfer", series, lambda y: f"{bytes_text(y / 8)}/s", seconds=run.seconds),
        ),
        _shares("Network", sent, received, "network"),
        _shares("Protocol", sent, received, "protocol"),
    ]


def _shares(
    title: str, sent: Sequence[TrafficRecord], received: Sequence[TrafficRecord], key: str
) -> Markup:
    ways = (grouped(records, lambda r: str(getattr(r, key))) for records in (sent, received))
    out, into = ways
    rows = [
        (
            name,
            bytes_cell(sum(record.data_bytes for record in out.get(name, []))),
            bytes_cell(sum(record.data_bytes for record in into.get(name, []))),
        )
        for name in sorted({*out, *into})
    ]
    return table((title, "Sent", "Received"), rows, f"Transfer by {title.lower()}")


def _latencies(run: Measurements, name: str) -> list[Markup]:
    found = []
    asked = grouped(
        (call for call in run.calls_of.get(name, []) if not call.error),
        lambda call: f"{call.affordance} · {call.protocol}",
    )
    served = grouped(run.works_of.get(name, []), lambda work: f"{work.affordance}")
    for title, groups in (("consumed", asked), ("exposed", served)):
        rows = [(key, box_of([each.seconds for each in groups[key]])) for key in sorted(groups)]
        if rows:
            drawing = boxes(f"Latencies of {title} interactions", rows[:BOXES_LIMIT], seconds_text)
            found.append(figure(f"Latency of {title} interactions", drawing))
    return found


def _counts(run: Measurements, name: str) -> Markup:
    sides: tuple[tuple[str, Sequence[Call | InteractionRecord]], ...] = (
        ("consumed", run.calls_of.get(name, [])),
        ("exposed", run.works_of.get(name, [])),
    )
    rows = []
    for side, records in sides:
        groups = grouped(records, lambda r: (r.thing, r.affordance, r.operation, r.protocol))
        for key, found in sorted(groups.items()):
            errors = sum(1 for record in found if record.error)
            rows.append((side, *key, len(found) - errors, errors))
    heads = ("Side", "Thing", "Affordance", "Operation", "Protocol", "OK", "Errors")
    return table(heads, rows, "Interactions", empty="No interactions.")


def _moments(run: Measurements, name: str) -> list[Markup]:
    events = grouped(run.events_of.get(name, []), lambda event: event.affordance)
    rows = [(key, [e.at - run.start for e in events[key]]) for key in sorted(events)]
    failed = [c.at - run.start for c in run.calls_of.get(name, []) if c.error]
    if failed:
        rows.append(("errors", failed))
    if not rows:
        return []
    return [figure("Events and errors over time", moments("Events", rows, seconds=run.seconds))]


def _log(run: Measurements, name: str) -> list[Markup]:
    written = [record.line for record in run.logs if record.replica == name]
    if not written:
        return []
    return [element("h4", "The end of its log"), element("pre", "\n".join(written))]

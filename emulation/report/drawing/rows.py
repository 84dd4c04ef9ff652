"""Charts with a row for each label: bars, boxes, spans of time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from emulation.report.drawing.canvas import (
    LABELS_WIDTH,
    WIDTH,
    colour,
    hint,
    label,
    legend,
    svg,
    x_axis,
)
from emulation.report.drawing.scale import Scale
from emulation.report.markup import Markup, element

LEFT, RIGHT, TOP, ROW = LABELS_WIDTH, WIDTH - 16, 8, 22
VALUE_WIDTH = 90
LINEAR_LIMIT = 20  # the largest by the smallest


@dataclass(frozen=True, slots=True)
class Box:
    """Five numbers of many: the whiskers go from the 5th to the 95th percentile."""

    low: float
    quarter: float
    median: float
    three_quarters: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a row, from one second to another; `class_` is its look, `text` what it was."""

    begin: float
    end: float
    class_: str
    text: str


def bars(
    title: str,
    rows: Sequence[tuple[str, Mapping[str, float]]],
    text: Callable[[float], str],
) -> Markup:
    """Each row's parts one after the other; what they sum up to stands behind."""
    names = list(dict.fromkeys(name for _, parts in rows for name in parts))
    highest = max((sum(parts.values()) for _, parts in rows), default=0.0)
    x = Scale(0, highest or 1.0, LEFT, RIGHT - VALUE_WIDTH)
    drawn: list[Markup] = []
    for index, (name, parts) in enumerate(rows):
        top, begin = TOP + index * ROW, 0.0
        drawn.append(label(name, LEFT - 8, top + 15))
        for part, value in parts.items():
            width = max(0.0, x(begin + value) - x(begin))
            drawn.append(
                element(
                    "rect",
                    hint(f"{name}, {part}: {text(value)}"),
                    x=x(begin),
                    y=top + 3,
                    width=round(width, 2),
                    height=ROW - 7,
                    class_=f"fill {colour(names.index(part))}",
                )
            )
            begin += value
        drawn.append(label(text(begin), x(begin) + 6, top + 15, "tick", "start"))
    height = TOP + len(rows) * ROW + (24 if len(names) > 1 else 6)
    return svg(height, title, drawn, legend(names, height - 6, LEFT) if len(names) > 1 else None)


def boxes(title: str, rows: Sequence[tuple[str, Box]], text: Callable[[float], str]) -> Markup:
    """Boxes from the first to the third quarter; on a logarithmic axis where they are far apart."""
    low = min((box.low for _, box in rows if box.low > 0), default=0.001)
    high = max((box.high for _, box in rows), default=1.0)
    if high / low > LINEAR_LIMIT:
        x = Scale(low * 0.8, high * 1.25, LEFT, RIGHT, is_logarithmic=True)
    else:
        x = Scale(0, high * 1.05 or 1.0, LEFT, RIGHT)
    bottom = TOP + len(rows) * ROW
    drawn = x_axis(x, TOP, bottom, text)
    for index, (name, box) in enumerate(rows):
        middle = TOP + index * ROW + ROW / 2
        words = (
            f"{name}: median {text(box.median)}, half from {text(box.quarter)} to"
            f" {text(box.three_quarters)}, 90 % from {text(box.low)} to {text(box.high)},"
            f" {box.count} calls"
        )
        drawn += [
            label(name, LEFT - 8, middle + 4),
            element("g", hint(words), _box(x, box, middle), class_=colour(0)),
        ]
    return svg(bottom + 22, title, drawn)


def _box(x: Scale, box: Box, middle: float) -> list[Markup]:
    begin, end = x(box.quarter), x(box.three_quarters)
    return [
        element("line", x1=x(box.low), x2=x(box.high), y1=middle, y2=middle, class_="whisker"),
        element(
            "rect",
            x=begin,
            y=middle - 6,
            width=max(1.5, round(end - begin, 2)),
            height=12,
            class_="fill",
        ),
        element(
            "line",
            x1=x(box.median),
            x2=x(box.median),
            y1=middle - 7,
            y2=middle + 7,
            class_="median",
        ),
    ]


def timeline(
    title: str, rows: Sequence[tuple[str, Sequence[Stretch]]], *, seconds: float
) -> Markup:
    """What each row was when, over seconds since the start."""
    x = Scale(0, max(seconds, 1e-9), LEFT, RIGHT)
    bottom = TOP + len(rows) * ROW
    drawn = x_axis(x, TOP, bottom, lambda tick: f"{tick:g} s")
    for index, (name, stretches) in enumerate(rows):
        top = TOP + index * ROW
        drawn.append(label(name, LEFT - 8, top + 15))
        drawn += [
            element(
                "rect",
                hint(f"{name}: {each.text}"),
                x=x(each.begin),
                y=top + 4,
                width=max(2.0, round(x(each.end) - x(each.begin), 2)),
                height=ROW - 8,
                class_=each.class_,
            )
            for each in stretches
        ]
    return svg(bottom + 22, title, drawn)

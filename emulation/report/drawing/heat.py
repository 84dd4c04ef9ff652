"""Tables of numbers as colours: who sends to whom, and how many when."""

from collections.abc import Callable, Mapping, Sequence

from emulation.report.drawing.canvas import LABELS_WIDTH, WIDTH, hint, label, svg, x_axis
from emulation.report.drawing.scale import Scale
from emulation.report.markup import Markup, element

LEFT, RIGHT, ROW = LABELS_WIDTH, WIDTH - 16, 22
CELL_LIMIT = 110
FAINTEST = 0.12


def matrix(
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Mapping[tuple[str, str], float],
    text: Callable[[float], str],
) -> Markup:
    """A square for each pair, the darker the more."""
    highest = max(values.values(), default=0.0) or 1.0
    width = min(CELL_LIMIT, (RIGHT - LEFT) / max(1, len(columns)))
    head = 16 + 3 * max(map(len, columns), default=0)  # what a slanted name rises
    drawn = [
        element(
            "text",
            name,
            x=0,
            y=0,
            class_="label",
            transform=f"translate({LEFT + index * width + width / 2:g},{head - 6}) rotate(-24)",
        )
        for index, name in enumerate(columns)
    ]
    for line, row in enumerate(rows):
        top = head + line * ROW
        drawn.append(label(row, LEFT - 8, top + 15))
        for index, column in enumerate(columns):
            value = values.get((row, column), 0.0)
            drawn.append(
                _cell(
                    LEFT + index * width,
                    top,
                    width,
                    value / highest,
                    f"{row} → {column}",
                    text(value),
                )
            )
    return svg(head + len(rows) * ROW + 4, title, drawn)


def _cell(x: float, top: float, width: float, share: float, where: str, value: str) -> Markup:
    opacity = round(FAINTEST + (1 - FAINTEST) * share, 3) if share else 0
    square = element(
        "rect",
        hint(f"{where}: {value}"),
        x=round(x, 2),
        y=top + 1,
        width=round(width - 2, 2),
        height=ROW - 2,
        class_="heat",
        fill_opacity=opacity,
    )
    if not share or width < 52:
        return square
    class_ = "tick strong" if opacity > 0.55 else "tick"
    written = element(
        "text", value, x=round(x + width / 2, 2), y=top + 15, class_=class_, text_anchor="middle"
    )
    return element("g", square, written)


def moments(
    title: str, rows: Sequence[tuple[str, Sequence[float]]], *, seconds: float, bins: int = 120
) -> Markup:
    """When something happened, as seconds since the start: the darker the more at that time."""
    x = Scale(0, max(seconds, 1e-9), LEFT, RIGHT)
    width = (RIGHT - LEFT) / bins
    drawn = x_axis(x, 6, 6 + len(rows) * ROW, lambda tick: f"{tick:g} s")
    for line, (name, times) in enumerate(rows):
        counts: dict[int, int] = {}
        for at in times:
            place = min(bins - 1, max(0, int(at / max(seconds, 1e-9) * bins)))
            counts[place] = counts.get(place, 0) + 1
        highest = max(counts.values(), default=1)
        drawn.append(label(f"{name} ({len(times)})", LEFT - 8, 6 + line * ROW + 15))
        drawn += [
            element(
                "rect",
                hint(f"{name}: {count} at {(place + 0.5) * seconds / bins:.1f} s"),
                x=round(LEFT + place * width, 2),
                y=6 + line * ROW + 3,
                width=round(max(width - 0.6, 1), 2),
                height=ROW - 6,
                class_="heat",
                fill_opacity=round(0.3 + 0.7 * count / highest, 3),
            )
            for place, count in sorted(counts.items())
        ]
    return svg(6 + len(rows) * ROW + 22, title, drawn)

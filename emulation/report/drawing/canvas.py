"""The frame that all charts share: an SVG of a fixed width, axes, and what is said on hovering."""

from collections.abc import Callable, Iterable

from emulation.report.drawing.scale import Scale
from emulation.report.markup import Content, Markup, element

WIDTH = 760
LABELS_WIDTH = 190  # left of charts with a row for each label
LABEL_LIMIT_CHARACTERS = 30
COLOURS = 8  # classes c0 to c7 of the style sheet


def svg(height: float, label: str, *children: Content | Iterable[Content]) -> Markup:
    """`label` is what the drawing shows, for those who do not see it."""
    return element(
        "svg",
        *children,
        viewBox=f"0 0 {WIDTH} {height:g}",
        role="img",
        aria_label=label,
        class_="chart",
    )


def colour(index: int) -> str:
    return f"c{index % COLOURS}"


def hint(text: str) -> Markup:
    """What a browser shows beside the pointer."""
    return element("title", text)


def label(text: str, x: float, y: float, class_: str = "label", anchor: str = "end") -> Markup:
    shown = text
    if len(text) > LABEL_LIMIT_CHARACTERS:
        shown = f"{text[: LABEL_LIMIT_CHARACTERS - 1]}…"
    name = hint(text) if shown != text else None
    return element("text", shown, name, x=x, y=y, class_=class_, text_anchor=anchor)


def x_axis(scale: Scale, top: float, bottom: float, text: Callable[[float], str]) -> list[Markup]:
    return [
        part
        for tick in scale.ticks()
        for part in (
            element("line", x1=scale(tick), x2=scale(tick), y1=top, y2=bottom, class_="grid"),
            element(
                "text",
                text(tick),
                x=scale(tick),
                y=bottom + 15,
                class_="tick",
                text_anchor="middle",
            ),
        )
    ]


def y_axis(scale: Scale, left: float, right: float, text: Callable[[float], str]) -> list[Markup]:
    return [
        part
        for tick in scale.ticks()
        for part in (
            element("line", x1=left, x2=right, y1=scale(tick), y2=scale(tick), class_="grid"),
            element(
                "text", text(tick), x=left - 6, y=scale(tick) + 4, class_="tick", text_anchor="end"
            ),
        )
    ]


def legend(names: Iterable[str], y: float, left: float = 60) -> list[Markup]:
    parts, x = [], left
    for index, name in enumerate(names):
        parts.append(
            element("rect", x=x, y=y - 9, width=10, height=10, class_=f"fill {colour(index)}")
        )
        parts.append(element("text", name, x=x + 14, y=y, class_="tick"))
        x += 26 + 6.6 * len(name)
    return parts

"""A chart of numbers over time."""

from collections.abc import Callable, Mapping, Sequence

from emulation.report.drawing.canvas import WIDTH, colour, hint, legend, svg, x_axis, y_axis
from emulation.report.drawing.scale import Scale
from emulation.report.markup import Markup, element

LEFT, RIGHT, TOP, BOTTOM, HEIGHT = 78, WIDTH - 12, 12, 168, 212
LEGEND_HEIGHT = 22
POINTS_LIMIT = 600  # of a line: more are not seen

Points = Sequence[tuple[float, float]]


def lines(
    title: str,
    series: Mapping[str, Points],
    text: Callable[[float], str],
    *,
    seconds: float,
    ceiling: float = 0.0,
    bands: Sequence[tuple[float, float, str]] = (),
) -> Markup:
    """Each of `series` over seconds since the start. `bands` are times when something was different."""
    highest = max((y for points in series.values() for _, y in points), default=0.0)
    x = Scale(0, max(seconds, 1e-9), LEFT, RIGHT)
    y = Scale(0, max(highest, ceiling) * 1.05 or 1.0, BOTTOM, TOP)
    parts = [*(_band(x, *band) for band in bands)]
    parts += [
        *x_axis(x, TOP, BOTTOM, lambda tick: f"{tick:g} s"),
        *y_axis(y, LEFT, RIGHT, text),
    ]
    for index, (name, points) in enumerate(series.items()):
        path = " ".join(f"{x(at):g},{y(value):g}" for at, value in _thinned(points))
        parts.append(
            element(
                "polyline",
                hint(f"{name}: up to {text(max((v for _, v in points), default=0.0))}"),
                points=path,
                class_=f"line {colour(index)}",
            )
        )
    if len(series) < 2:
        return svg(HEIGHT - LEGEND_HEIGHT, title, parts)
    return svg(HEIGHT, title, parts, legend(series, HEIGHT - 6, LEFT))


def _band(x: Scale, begin: float, end: float, text: str) -> Markup:
    width = max(1.0, x(end) - x(begin))
    return element(
        "rect", hint(text), x=x(begin), y=TOP, width=width, height=BOTTOM - TOP, class_="band"
    )


def _thinned(points: Points) -> Points:
    """The highest of each stretch: peaks are what is looked for."""
    if len(points) <= POINTS_LIMIT:
        return points
    size = -(-len(points) // POINTS_LIMIT)
    stretches = (points[i : i + size] for i in range(0, len(points), size))
    return [max(stretch, key=lambda point: point[1]) for stretch in stretches]

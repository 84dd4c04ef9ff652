"""One plot per protocol: answers per second of each contender, by how many requests are under way."""

import math
from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.measuring import Points
from benchmarks.peers.contender import Case

WIDTH_INCHES, HEIGHT_INCHES = 5.5, 4.0
BARS_WIDTH = 0.8
SCALE_FROM = 10


def draw(points: Points, titles: Mapping[str, str], folder: Path) -> None:
    """Writes `<protocol>.svg`."""
    folder.mkdir(parents=True, exist_ok=True)
    cases = list(dict.fromkeys(case for case, _, _ in points))
    for wire in dict.fromkeys(wire for wire, _ in cases):
        own = [case for case in cases if case[0] is wire]
        figure = Figure(figsize=(WIDTH_INCHES * len(own), HEIGHT_INCHES), layout="constrained")
        for axes, case in zip(figure.subplots(1, len(own), squeeze=False)[0], own, strict=True):
            _bars(axes, points, case, titles)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=math.ceil(len(labels) / 2))
        figure.savefig(folder / f"{wire}.svg")


def _bars(axes: Axes, points: Points, case: Case, titles: Mapping[str, str]) -> None:
    concurrencies = list(dict.fromkeys(c for other, c, _ in points if other == case))
    names = list(dict.fromkeys(name for other, _, name in points if other == case))
    width = BARS_WIDTH / len(names)
    for place, name in enumerate(names):
        rates = [
            points[case, each, name].medians()["rates"] if (case, each, name) in points else 0.0
            for each in concurrencies
        ]
        at = [index + (place - (len(names) - 1) / 2) * width for index in range(len(rates))]
        axes.bar(at, rates, width, label=titles[name], color=f"C{list(titles).index(name)}")
    axes.set_yscale("log")
    axes.set_ylim(bottom=SCALE_FROM)
    axes.set_xticks(range(len(concurrencies)), [str(each) for each in concurrencies])
    axes.set_title(f"{case[0]}: {case[1]}")
    axes.set_xlabel("requests under way")
    axes.set_ylabel("answers per second")

"""Processors and memory: of the machine over time, and which replicas took most."""

from emulation.report.drawing.lines import lines
from emulation.report.drawing.rows import bars
from emulation.report.figures import Figures
from emulation.report.markup import Cell, Markup, figure, section, table
from emulation.report.measurements import Measurements
from emulation.report.numbers import bytes_cell, bytes_text, share_text

RANKING_LIMIT = 30


def section_of(run: Measurements, figures: Figures) -> Markup:
    usage = list(figures.usage.values())
    by_cpu = sorted(usage, key=lambda each: -each.cpu)[:RANKING_LIMIT]
    by_memory = sorted(usage, key=lambda each: -each.memory_bytes)[:RANKING_LIMIT]
    return section(
        f"{run.prefix}resources",
        "Processors and memory",
        figure("The machine over time: share of all cores, share of memory", _host(run)),
        figure(
            "Processors, by replica: mean, in cores",
            bars("CPU ranking", [(u.replica, {"cores": u.cpu}) for u in by_cpu], _cores),
        ),
        figure(
            "Memory, by replica: mean",
            bars(
                "Memory ranking",
                [(u.replica, {"memory": u.memory_bytes}) for u in by_memory],
                bytes_text,
            ),
        ),
        table(
            ("Replica", "Mean cores", "Peak cores", "Mean memory", "Peak memory"),
            [
                (
                    each.replica,
                    Cell(_cores(each.cpu), each.cpu),
                    Cell(_cores(each.peak_cpu), each.peak_cpu),
                    bytes_cell(each.memory_bytes),
                    bytes_cell(each.peak_memory_bytes),
                )
                for each in sorted(usage, key=lambda each: -each.cpu)
            ],
        ),
    )


def _cores(cores: float) -> str:
    return f"{cores:.3g}"


def _host(run: Measurements) -> Markup:
    series = {
        "processors": [(sample.at - run.start, sample.cpu) for sample in run.host],
        "memory": [(sample.at - run.start, sample.memory) for sample in run.host],
    }
    return lines("The machine over time", series, share_text, seconds=run.seconds, ceiling=0.95)

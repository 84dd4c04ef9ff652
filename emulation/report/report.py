"""From folders of runs to a report and verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulation.metrics.run import RunFolder
from emulation.report.document import to_document
from emulation.report.figures import Figures, figures_of
from emulation.report.measurements import Measurements, load
from emulation.report.page import page
from emulation.report.saturation import bottlenecks
from emulation.report.thresholds import Threshold, Verdict, judge


@dataclass(frozen=True)
class Report:
    """What is known of one run or several; the first is what others are compared with."""

    runs: tuple[tuple[Measurements, Figures], ...]
    verdicts: tuple[tuple[Verdict, ...], ...]

    @property
    def passed(self) -> bool:
        return all(verdict.passed for judged in self.verdicts for verdict in judged)

    def words(self) -> list[str]:
        """A line for each threshold and run, and one for each bottleneck."""
        lines = []
        for (run, _), judged in zip(self.runs, self.verdicts, strict=True):
            lines += [f"{run.label}: the host was the bottleneck: {x}" for x in bottlenecks(run)]
            for verdict in judged:
                word = "passed" if verdict.passed else "FAILED"
                reached = "nothing" if verdict.value is None else f"{verdict.value:.6g}"
                lines.append(f"{run.label}: {word}: {verdict.threshold.text} (reached {reached})")
        return lines

    def html(self) -> str:
        return page(self.runs, self.verdicts)

    def documents(self) -> list[dict[str, Any]]:
        return [
            to_document(run, figures, judged)
            for (run, figures), judged in zip(self.runs, self.verdicts, strict=True)
        ]


def make_report(paths: Sequence[Path], thresholds: Sequence[Threshold] = ()) -> Report:
    """Read runs from their folders. Raises NotARun, UnknownMetricsFile."""
    runs = []
    for number, (path, label) in enumerate(zip(paths, _labels(paths), strict=True)):
        measured = load(RunFolder(path), label, f"run{number + 1}-" if number else "")
        runs.append((measured, figures_of(measured)))
    verdicts = tuple(tuple(judge(each, *run) for each in thresholds) for run in runs)
    return Report(tuple(runs), verdicts)


def _labels(paths: Sequence[Path]) -> list[str]:
    """The folders' names, with those above them where these alone are not unique."""
    names = [path.resolve() for path in paths]
    labels = [name.name for name in names]
    if len(set(labels)) < len(labels):
        labels = [f"{name.parent.name}/{name.name}" for name in names]
    return labels

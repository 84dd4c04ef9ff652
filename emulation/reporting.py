"""The commands `emulate report` and `emulate export`, apart from what they print."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emulation.metrics.export import Format, export
from emulation.metrics.redis_keys import write_to_redis
from emulation.metrics.run import RunFolder
from emulation.report.report import make_report
from emulation.report.thresholds import parse_threshold


@dataclass(frozen=True, slots=True)
class Written:
    """What goes to the standard output, what is told beside it, and whether all thresholds are met."""

    output: str
    notes: tuple[str, ...]
    passed: bool


def write_report(
    runs: Sequence[Path], out: Path | None, thresholds: Sequence[str], *, as_json: bool
) -> Written:
    """Write HTML; with `as_json`, to `out` only. Raises EmulationError."""
    found = make_report(runs, [parse_threshold(text) for text in thresholds])
    notes = []
    if out is not None or not as_json:
        path = out or RunFolder(runs[0]).report_path
        path.write_text(found.html(), encoding="utf-8")
        notes.append(f"the report is {path}")
    output = json.dumps(found.documents(), indent=2) if as_json else ""
    return Written(output, (*notes, *found.words()), found.passed)


def export_tables(run: Path, out: Path, kind: Format) -> list[Path]:
    """The files that were written. Raises EmulationError."""
    folder = RunFolder(run)
    folder.read()
    folder.merge()
    return export(folder.merged_path, out, kind)


def export_to_redis(run: Path, url: str) -> int:
    """How many members of sorted sets were written. Raises EmulationError."""
    folder = RunFolder(run)
    description = folder.read()
    folder.merge()
    return write_to_redis(folder.merged_path, description, url)

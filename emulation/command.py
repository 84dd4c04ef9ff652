"""Carries out the commands of `emulate`."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from emulation.embedded.carrier import Carrying
from emulation.embedded.runner import Embedded, Run
from emulation.live import LiveView
from emulation.metrics.run import RunFolder
from emulation.report.report import make_report
from emulation.report.thresholds import parse_threshold
from emulation.topology.load import load_topology


def run_topology(
    file: Path,
    seconds: float | None,
    out: Path,
    thresholds: Sequence[str],
    carrying: Carrying = Carrying.AUTO,
) -> bool:
    """Run what a file describes, show it, and leave results and their report in a folder.

    Returns whether all thresholds are met. Raises EmulationError.
    """
    parsed = [parse_threshold(text) for text in thresholds]  # before the run, not after it
    plan = Run(load_topology(file), file.resolve().parent, RunFolder(out), carrying)
    console = Console(soft_wrap=True)
    asyncio.run(_run(plan, seconds, console))
    report = make_report([out], parsed)
    plan.folder.report_path.write_text(report.html(), encoding="utf-8")
    for line in report.words():
        console.print(line, highlight=False)
    console.print(f"the report is {plan.folder.report_path}", highlight=False)
    return report.passed


async def _run(plan: Run, seconds: float | None, console: Console) -> None:
    with LiveView(console, seconds) as view:
        begun_at = time.monotonic()
        async with Embedded(plan, view.show) as emulation:
            task = asyncio.create_task(_carry_out(emulation, seconds, view), name="emulation")
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, task.cancel)
            with contextlib.suppress(asyncio.CancelledError):
                await task
            description = emulation.describe(time.monotonic() - begun_at)
    board = emulation.board
    for words in board.mechanism:
        console.print(words, style="dim", highlight=False)
    console.print(
        f"{board.packets} packets, {board.dropped} dropped; the latest frame came"
        f" {board.worst_lateness_seconds * 1000:.1f} ms after it was due, {board.missed} were missed",
        highlight=False,
    )
    folder = plan.folder
    await asyncio.to_thread(folder.write, description)
    await asyncio.to_thread(folder.merge)


async def _carry_out(emulation: Embedded, seconds: float | None, view: LiveView) -> None:
    await emulation.ready()
    view.begin()
    await emulation.run(seconds)

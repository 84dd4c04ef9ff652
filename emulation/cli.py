"""The command `emulate`: run a topology on this machine."""

import asyncio
import contextlib
import json
import signal
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from emulation.embedded.runner import Embedded, Run
from emulation.errors import EmulationError
from emulation.live import LiveView
from emulation.metrics.run import RunFolder
from emulation.topology.document import load_schema
from emulation.topology.load import load_topology

cli = typer.Typer(
    name="emulate",
    help="Emulate servients and consumers in shaped networks, and report what they did.",
    no_args_is_help=True,
)

TopologyFile = Annotated[
    Path, typer.Argument(help="Python with a function `topology`, or YAML or JSON.")
]


@cli.command()
def run(
    topology: TopologyFile,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="How long; by default until Ctrl-C.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder for metrics, logs and the report.")] = Path(
        "emulation-run"
    ),
) -> None:
    """Run a topology on this machine, without Docker and without privileges."""
    console = Console(soft_wrap=True)
    try:
        described = load_topology(topology)
        plan = Run(described, topology.resolve().parent, RunFolder(out))
        asyncio.run(_run(plan, seconds, console))
    except EmulationError as error:
        typer.echo(f"wasm-servient: {error}", err=True)
        raise typer.Exit(1) from error


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
    console.print(f"results are in {folder.path}", highlight=False)


async def _carry_out(emulation: Embedded, seconds: float | None, view: LiveView) -> None:
    await emulation.ready()
    view.begin()
    await emulation.run(seconds)


@cli.command()
def schema() -> None:
    """Print the JSON Schema of topologies in JSON and YAML."""
    typer.echo(json.dumps(load_schema(), indent=2))

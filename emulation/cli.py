"""The command `emulate` and its commands."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from emulation.errors import EmulationError

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
    # Here, since it imports a good deal: other commands answer without it.
    from emulation.command import run_topology  # noqa: PLC0415

    try:
        run_topology(topology, seconds, out)
    except EmulationError as error:
        typer.echo(f"wasm-servient: {error}", err=True)
        raise typer.Exit(1) from error


@cli.command()
def schema() -> None:
    """Print the JSON Schema of topologies in JSON and YAML."""
    from emulation.topology.document import load_schema  # noqa: PLC0415 - likewise

    typer.echo(json.dumps(load_schema(), indent=2))


@cli.command()
def report(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs; several are compared.")],
    out: Annotated[
        Path | None, typer.Option(help="The HTML file; by default report.html in the first folder.")
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(help="What has to hold, as `http p95 < 300ms` or `errors <= 1%`; repeatable."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the figures as JSON; HTML goes to --out only.")
    ] = False,
) -> None:
    """Write a report on runs as one HTML file. Ends with 1 when a threshold is not met."""
    from emulation.reporting import write_report  # noqa: PLC0415 - likewise

    try:
        written = write_report(runs, out, threshold or (), as_json=as_json)
    except EmulationError as error:
        typer.echo(f"wasm-servient: {error}", err=True)
        raise typer.Exit(2) from error
    if written.output:
        typer.echo(written.output)
    for note in written.notes:
        typer.echo(note, err=True)
    if not written.passed:
        raise typer.Exit(1)


@cli.command()
def export(
    run: Annotated[Path, typer.Argument(help="The folder of a run.")],
    out: Annotated[Path, typer.Option(help="The folder for the files, one for each table.")],
    kind: Annotated[Literal["csv", "parquet"], typer.Option("--format")] = "csv",
) -> None:
    """Write what was measured in a run as tables for other programs."""
    from emulation.metrics.export import Format  # noqa: PLC0415 - likewise
    from emulation.reporting import export_tables  # noqa: PLC0415 - likewise

    try:
        for path in export_tables(run, out, Format(kind)):
            typer.echo(str(path))
    except EmulationError as error:
        typer.echo(f"wasm-servient: {error}", err=True)
        raise typer.Exit(2) from error

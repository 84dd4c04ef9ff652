"""The command `emulate` and its commands."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Literal, NoReturn

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
    threshold: Annotated[
        list[str] | None,
        typer.Option(help="What has to hold, as `http p95 < 300ms` or `errors <= 1%`; repeatable."),
    ] = None,
    networks: Annotated[
        Literal["auto", "kernel", "switch", "relay"],
        typer.Option(help="What carries packets; by default the first of these that can be had."),
    ] = "auto",
) -> None:
    """Run a topology on this machine, without Docker and without privileges, and write its report.

    Ends with 1 when a threshold is not met.
    """
    # Here, since it imports a good deal: other commands answer without it.
    from emulation.command import run_topology  # noqa: PLC0415
    from emulation.embedded.carrier import Carrying  # noqa: PLC0415

    try:
        has_passed = run_topology(topology, seconds, out, threshold or (), Carrying(networks))
    except EmulationError as error:
        typer.echo(f"wasm-servient: {error}", err=True)
        raise typer.Exit(2) from error
    if not has_passed:
        raise typer.Exit(1)


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
    out: Annotated[
        Path | None, typer.Option(help="A folder for files, one for each table.")
    ] = None,
    kind: Annotated[Literal["csv", "parquet"], typer.Option("--format")] = "csv",
    redis: Annotated[
        str | None, typer.Option(help="redis://host:port/number: to write WoTemu's keys there.")
    ] = None,
) -> None:
    """Write what was measured in a run for other programs."""
    from emulation.metrics.export import Format  # noqa: PLC0415 - likewise
    from emulation.reporting import export_tables, export_to_redis  # noqa: PLC0415 - likewise

    try:
        for path in export_tables(run, out, Format(kind)) if out else ():
            typer.echo(str(path))
        if redis:
            typer.echo(f"{export_to_redis(run, redis)} members")
    except EmulationError as error:
        typer.echo(f"wasm-servient: {error}", err=True)
        raise typer.Exit(2) from error


@cli.command()
def compose(
    topology: TopologyFile,
    out: Annotated[
        Path | None, typer.Option(help="The stack file; by default beside the topology, as .yml.")
    ] = None,
    image: Annotated[
        str | None, typer.Option(help="The image of nodes that name none: see the Dockerfile.")
    ] = None,
) -> None:
    """Write a stack file for Docker Swarm, which emulates the same topology."""
    from emulation.swarm.stack import IMAGE, write_stack  # noqa: PLC0415 - likewise
    from emulation.topology.load import load_topology  # noqa: PLC0415 - likewise

    try:
        file = out or topology.with_suffix(".yml")
        write_stack(load_topology(topology), topology, file, image or IMAGE)
    except EmulationError as error:
        _fail(error)
    typer.echo(f"docker stack deploy -c {file} NAME")


@cli.command()
def stop(
    topology: TopologyFile,
    stack: Annotated[str, typer.Option(help="The name that the stack was deployed under.")],
    out: Annotated[Path, typer.Option(help="The folder of the run.")] = Path("emulation-run"),
) -> None:
    """End a stack and take what it measured, on the manager where its collector runs."""
    from emulation.metrics.run import RunFolder  # noqa: PLC0415 - likewise
    from emulation.swarm.docker import Docker, stop_stack  # noqa: PLC0415 - likewise
    from emulation.topology.load import load_topology  # noqa: PLC0415 - likewise

    try:
        stop_stack(load_topology(topology), stack, RunFolder(out), Docker())
    except EmulationError as error:
        _fail(error)
    typer.echo(f"results are in {out}: wasm-servient emulate report {out}")


@cli.command(hidden=True)
def node(topology: TopologyFile, name: Annotated[str, typer.Argument()]) -> None:
    """Be a replica in a container of a stack."""
    from emulation.swarm.node import Task, run_node  # noqa: PLC0415 - likewise

    try:
        run_node(topology, name, Task.of_environment())
    except EmulationError as error:
        _fail(error)


@cli.command(hidden=True)
def collect(
    folder: Annotated[Path, typer.Argument()],
    port: Annotated[int, typer.Option()],
    token: Annotated[str, typer.Option(envvar="EMULATION_TOKEN")],
) -> None:
    """Be the collector of a stack."""
    from emulation.swarm.collector import run_collector  # noqa: PLC0415 - likewise

    asyncio.run(run_collector(folder, token, port))


def _fail(error: EmulationError) -> NoReturn:
    typer.echo(f"wasm-servient: {error}", err=True)
    raise typer.Exit(1) from error

"""The command `wasm-servient` and its commands."""

from typing import Annotated

import typer

from emulation.cli import cli as emulate
from servient.cli.convert import convert
from servient.cli.credential import credential
from servient.cli.deploy import deploy, deployments, undeploy
from servient.cli.interact import invoke, observe, read, write
from servient.cli.invocations import cancel, invocations
from servient.cli.run import run
from servient.cli.things import td, things
from servient.version import VERSION

cli = typer.Typer(
    name="wasm-servient",
    help="Send a WebAssembly module to a machine, and it becomes a W3C Thing.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """The entry point of the command `wasm-servient`."""
    cli()


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(VERSION)
        raise typer.Exit


@cli.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Send a WebAssembly module to a machine, and it becomes a W3C Thing."""


for command in (
    run,
    deploy,
    undeploy,
    deployments,
    things,
    td,
    invoke,
    read,
    write,
    observe,
    invocations,
    cancel,
    credential,
):
    cli.command()(command)
cli.add_typer(convert)
cli.add_typer(emulate)

"""How a command ends when it cannot go on."""

from typing import NoReturn

import typer


def fail(message: str, code: int = 1) -> NoReturn:
    """One sentence on stderr, and the exit code."""
    typer.echo(f"wasm-servient: {message}", err=True)
    raise typer.Exit(code)

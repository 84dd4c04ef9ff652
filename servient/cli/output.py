"""How a command ends when it cannot go on."""

from enum import IntEnum
from typing import NoReturn

import typer


class ExitCode(IntEnum):
    """What a command ends with besides 0; the README lists them."""

    FAILED = 1  # refused by the servient, or failed
    USAGE = 2
    UNREACHABLE = 3  # nobody answers, or not in time
    UNAUTHORIZED = 4
    INTERRUPTED = 130


class CommandFailed(Exception):
    """A command cannot go on: one sentence for the person who gave it."""

    def __init__(self, message: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


def fail(message: str, code: int = ExitCode.FAILED) -> NoReturn:
    """One sentence on stderr, and the exit code."""
    typer.echo(f"wasm-servient: {to_line(message)}", err=True)
    raise typer.Exit(int(code))


def to_line(text: str) -> str:
    """Text of others on one line, without what a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))

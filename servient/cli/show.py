"""What a command prints: JSON, tables and files, and nothing that a terminal would obey."""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.highlighter import JSONHighlighter
from rich.table import Table
from rich.text import Text

from servient.cli.output import CommandFailed, to_line
from servient.wot.content import Content, Value, essence, to_plain


def show_json(value: Value) -> None:
    """A value as JSON text; files in it are base64."""
    text = to_text(value)
    console = Console()
    if not console.is_terminal:
        typer.echo(text)
        return
    highlighted = Text(text)
    JSONHighlighter().highlight(highlighted)
    console.print(highlighted, soft_wrap=True)


def show_line(value: Value) -> None:
    """A value as JSON on one line, at once."""
    typer.echo(_safe(json.dumps(to_plain(value), ensure_ascii=False)))
    sys.stdout.flush()


def to_text(value: Value) -> str:
    return _safe(json.dumps(to_plain(value), indent=2, ensure_ascii=False))


def show_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """On a terminal, cells are folded as its width demands; elsewhere a row is a line."""
    lines = [[to_line(cell) for cell in row] for row in rows]
    console = Console(highlight=False)
    if not console.is_terminal:
        widths = [max(map(len, column)) for column in zip(headings, *lines, strict=True)]
        for line in (headings, *lines):
            padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            typer.echo("  ".join(padded).rstrip())
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for line in lines:
        table.add_row(*map(Text, line))
    console.print(table)


def say(text: str) -> None:
    """A remark for a person, beside the result."""
    typer.echo(to_line(text), err=True)


def show_done(text: str, value: Value, *, as_json: bool) -> None:
    """That something is done: for a person, or for a program what it was done to."""
    if as_json:
        show_json(value)
    else:
        say(text)


def show_result(value: Value, output: Path | None, *, as_json: bool, is_expected: bool) -> None:
    """What an action or a property gave: to a file, or to standard output if that is fit for it.

    `is_expected` says that there should be a value. Raises CommandFailed.
    """
    if output is not None:
        write_result(value, output)
    elif isinstance(value, Content) and not as_json:
        _show_file(value)
    elif value is not None or is_expected or as_json:
        show_json(value)
    else:
        say("done")


def write_result(value: Value, path: Path) -> None:
    """Raises CommandFailed."""
    body = value.body if isinstance(value, Content) else f"{to_text(value)}\n".encode()
    try:
        path.write_bytes(body)
    except OSError as error:
        raise CommandFailed(f"cannot write {path}: {error.strerror}") from error
    kind = value.media_type if isinstance(value, Content) else "application/json"
    say(f"{path}: {len(body)} bytes of {kind}")


def _show_file(content: Content) -> None:
    if essence(content.media_type).startswith("text/") and sys.stdout.isatty():
        typer.echo(_safe(content.body.decode("utf-8", "replace")))
    elif sys.stdout.isatty():
        say(f"the result is a file, {len(content.body)} bytes of {content.media_type}: see -o FILE")
    else:
        sys.stdout.buffer.write(content.body)
        sys.stdout.buffer.flush()


def _safe(text: str) -> str:
    """Escape codes and marks that turn text around stay visible; lines stay lines."""
    return "".join(c if c.isprintable() or c in "\n\t" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    escaped: Any = json.dumps(character)
    return str(escaped[1:-1]) if len(escaped) > 3 else f"\\u{ord(character):04x}"

"""Every command of `wasm-servient`, as its parser knows it."""

from collections.abc import Iterator
from enum import Enum
from typing import Any, get_args

import typer

from docs.generator.markdown import code, page, table, words
from servient.cli.program import cli

PROGRAM = "wasm-servient"
# Those that typer gives to every program.
COMMON = {"help", "install_completion", "show_completion"}
INTRODUCTION = """\
`wasm-servient --install-completion` completes commands and options in the shell. `python -m servient` is the
same program."""


def commands() -> str:
    root = typer.main.get_command(cli)
    return page("Commands", INTRODUCTION, *_walk(root, (PROGRAM,)))


def _walk(command: Any, path: tuple[str, ...]) -> Iterator[str]:
    """A command's section, and those of the commands below it. Typer has no public name for its type."""
    below = getattr(command, "commands", {})
    if not below:
        yield _section(command, path)
    for name, each in below.items():
        if not each.hidden:
            yield from _walk(each, (*path, name))


def _section(command: Any, path: tuple[str, ...]) -> str:
    given = [each for each in command.params if each.name not in COMMON and not _is_hidden(each)]
    arguments = [each for each in given if each.param_type_name == "argument"]
    shown = " ".join((*path, *(_metavar(each) for each in arguments)))
    rows = ((_names(each), _default(each), _means(each)) for each in given)
    parts = [f"## {' '.join(path[1:])}", "\n\n".join(_paragraphs(command.help or "")), code(shown)]
    if given:
        parts.append(table(("argument or option", "default", "means"), rows))
    return "\n\n".join(parts)


def _means(parameter: Any) -> str:
    """With the variable that it is taken from, too."""
    variable = f" Also `{parameter.envvar}`." if parameter.envvar else ""
    return f"{parameter.help or ''}{variable}"


def _is_hidden(parameter: Any) -> bool:
    return bool(getattr(parameter, "hidden", False))


def _paragraphs(text: str) -> Iterator[str]:
    """Without typer's mark that a text ends here."""
    for paragraph in text.partition("\f")[0].split("\n\n"):
        yield words(paragraph)


def _metavar(argument: Any) -> str:
    name = str(argument.metavar or argument.name).upper()
    if name.startswith("["):
        return name
    several = " …" if argument.nargs != 1 else ""
    return f"{name}{several}" if argument.required else f"[{name}{several}]"


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return code(_metavar(parameter))
    names = ", ".join((*parameter.opts, *parameter.secondary_opts))
    return code(names if parameter.is_flag else f"{names} {_kind(parameter)}")


def _kind(option: Any) -> str:
    if option.metavar:
        return str(option.metavar).upper()
    kind = option.type_descriptor.annotation
    for each in get_args(kind):  # list[str] and str | None: of the one type that says something
        if each is not type(None):
            kind = each
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "|".join(str(each.value) for each in kind)
    return getattr(kind, "__name__", str(kind)).removeprefix("str").upper() or "TEXT"


def _default(parameter: Any) -> str:
    value = parameter.default
    if parameter.required:
        return "has to be given"
    if callable(value) or value in (None, False, (), []):
        return ""
    return code(getattr(value, "value", value))

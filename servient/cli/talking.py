"""Commands that talk to a servient: their common options, and how they end."""

import asyncio
import contextlib
import functools
import inspect
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Concatenate, ParamSpec

import typer

from servient.cli.access import ANSWER_SECONDS, Access, to_access
from servient.cli.options import CaOption, TimeoutOption, TokenOption, UrlOption, UserOption
from servient.cli.output import CommandFailed, ExitCode, fail

P = ParamSpec("P")


def talking(
    command: Callable[Concatenate[Access, P], Coroutine[Any, Any, None]],
) -> Callable[..., None]:
    """A command for typer from a coroutine: the options that make its `Access` are added."""
    shared = list(inspect.signature(_to_access).parameters.values())
    own = list(inspect.signature(command).parameters.values())[1:]
    names = [each.name for each in shared]

    @functools.wraps(command)
    def run(**given: Any) -> None:
        with telling():
            access = _to_access(**{name: given.pop(name) for name in names})
            asyncio.run(command(access, **given))  # type: ignore[call-arg] # as declared below

    parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*own, *shared)]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # typer reads it
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


@contextlib.contextmanager
def telling() -> Iterator[None]:
    """Whatever ends the block is told in one sentence, with its exit code."""
    try:
        yield
    except CommandFailed as error:
        fail(error.message, error.code)
    except KeyboardInterrupt:
        raise typer.Exit(int(ExitCode.INTERRUPTED)) from None


def _to_access(
    url: UrlOption = None,
    token: TokenOption = None,
    user: UserOption = None,
    ca: CaOption = None,
    timeout: TimeoutOption = ANSWER_SECONDS,
) -> Access:
    """Raises CommandFailed."""
    return to_access(url, token, user, ca, timeout)

"""Programs: what a module's `_start` is called with, and what it gives, when it is an action."""

from collections.abc import Mapping, Sequence
from typing import Any

from converters.deployment import Endpoint, Mount, Parameter

# The exports by which WASI tells a program from a library ("application ABI").
START = "_start"
INITIALIZE = "_initialize"
# The action of a program that no document describes.
RUN = "run"

ARGUMENTS = "arguments"
STDIN = "stdin"

_TAKES_NOTHING: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())


def is_program(function: str, signatures: Mapping[str, Any]) -> bool:
    """Whether the function is the entry of a program, and not just an export of that name."""
    return (
        function == START
        and signatures.get(START) == _TAKES_NOTHING
        and signatures.get(INITIALIZE) != _TAKES_NOTHING
    )


def program_parameters(
    declared: Sequence[Endpoint], files: Sequence[Mount]
) -> tuple[Parameter, ...]:
    """What is declared, each an argument; else an array of arguments and a standard input.

    A mount named `stdin` is the standard input as a file.
    """
    parameters = next((e.parameters for e in declared if e.parameters), ())
    if parameters:
        return parameters
    texts = {"type": "array", "items": {"type": "string"}}
    arguments = Parameter(ARGUMENTS, texts, False, "The program's arguments.")
    if any(mount.path == STDIN for mount in files):
        return (arguments,)
    return (arguments, Parameter(STDIN, {"type": "string"}, False, "Its standard input."))

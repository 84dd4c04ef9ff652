"""The data of a component's call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from servient.wasm.moments import Moments
from servient.wasm.types import NO_FILES


class ComponentCall(NamedTuple):
    """One call of an exported function.

    `arguments` are JSON values by the names of the parameters, or bytes for a `list<u8>`. Files and
    the deadline are those of `servient.wasm.types.Call`, and so is who hears when its turn comes.
    """

    function: str
    arguments: Mapping[str, Any] = NO_FILES
    inputs: Mapping[str, bytes] = NO_FILES
    outputs: tuple[str, ...] = ()
    any_output: bool = False
    deadline_seconds: float = 10.0
    moments: Moments | None = None


@dataclass(frozen=True, slots=True)
class ComponentResult:
    """What a call returned: a JSON value, bytes for a `list<u8>`, None for nothing."""

    value: Any
    files: Mapping[str, bytes]
    stdout: bytes
    stderr: bytes
    seconds: float

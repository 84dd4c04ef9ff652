"""The data that goes into and comes out of a module: types, calls, results and limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from servient.wasm.moments import Moments

KIB = 1024
MIB = 1024 * KIB


class ValueType(StrEnum):
    """The numeric value types of core WebAssembly."""

    I32 = "i32"
    I64 = "i64"
    F32 = "f32"
    F64 = "f64"


@dataclass(frozen=True, slots=True)
class Signature:
    """What an exported function takes and gives; names are not part of a core module."""

    parameters: tuple[ValueType, ...]
    results: tuple[ValueType, ...]


@dataclass(frozen=True, slots=True)
class Buffer:
    """Bytes that a function is called with; those that are kept stay in the module's memory."""

    body: bytes
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class WasiSettings:
    """What a module's WASI tells it: nothing of the servient's own, and nothing unless configured."""

    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()


NO_SETTINGS = WasiSettings()


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What a program is run with: arguments, which come after the configured ones, and its input."""

    arguments: tuple[str, ...] = ()
    stdin: bytes = b""


NO_FILES: Mapping[str, bytes] = MappingProxyType({})


class Call(NamedTuple):
    """One call of an exported function.

    With `buffers`, address and length of each in the module's memory take the place of `arguments`.

    `inputs` are files, name to content, that are written into the module's folder before the call;
    `outputs` are the files to read after it, or, with `any_output`, the first by name of those that
    the module writes. `deadline_seconds` counts from when the call runs. A `command_line` is for the
    `_start` of a program, which runs in an instance of its own. `moments` hears when its turn comes.
    """

    function: str
    arguments: tuple[int | float, ...] = ()
    inputs: Mapping[str, bytes] = NO_FILES
    outputs: tuple[str, ...] = ()
    any_output: bool = False
    buffers: tuple[Buffer, ...] = ()
    deadline_seconds: float = 10.0
    command_line: CommandLine | None = None
    moments: Moments | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it is about numbers only, so that nothing needs to be done before or after it."""
        return not (
            self.inputs or self.outputs or self.any_output or self.buffers or self.command_line
        )


class CallResult(NamedTuple):
    """What a call returned: integers signed, floats also NaN or infinite.

    `files` holds those of the call's outputs that the module wrote. `seconds` is the guest's time.
    """

    values: tuple[int | float, ...]
    files: Mapping[str, bytes]
    stdout: bytes
    stderr: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a module, an instance and a call may take.

    Memory and table elements count per memory and per table, of which there are few: see `guest`.
    `folder_bytes` and `folder_entries` bound what lies in an instance's private folder,
    `program_output_bytes` what a program writes to its standard output, which is its result.
    """

    memory_bytes: int = 256 * MIB
    table_elements: int = 100_000
    module_bytes: int = 64 * MIB
    module_names: int = 5_000
    output_bytes: int = 64 * MIB
    folder_bytes: int = 512 * MIB
    folder_entries: int = 10_000
    stdout_bytes: int = 64 * KIB
    program_output_bytes: int = 1 * MIB
    queue_length: int = 64
    compile_seconds: float = 15.0
    compile_memory_bytes: int = 2048 * MIB
    start_seconds: float = 10.0

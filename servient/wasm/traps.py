"""How a guest ended, in words."""

import wasmtime

from servient.errors import (
    ActionFailed,
    DeadlineExceeded,
    ModuleExited,
    ModuleTrapped,
    ServientError,
)
from servient.wasm.watch import Ending, Watch

TRAPS = {
    wasmtime.TrapCode.STACK_OVERFLOW: "it called itself too deeply",
    wasmtime.TrapCode.MEMORY_OUT_OF_BOUNDS: "it reached outside its memory",
    wasmtime.TrapCode.TABLE_OUT_OF_BOUNDS: "it reached outside a table",
    wasmtime.TrapCode.INDIRECT_CALL_TO_NULL: "it called a function that is not there",
    wasmtime.TrapCode.BAD_SIGNATURE: "it called a function of another type",
    wasmtime.TrapCode.INTEGER_OVERFLOW: "an integer overflowed",
    wasmtime.TrapCode.INTEGER_DIVISION_BY_ZERO: "it divided by zero",
    wasmtime.TrapCode.BAD_CONVERSION_TO_INTEGER: "a number does not fit into an integer",
    wasmtime.TrapCode.UNREACHABLE: "it reached code that must not be reached",
}


def interruption(watch: Watch, what: str, seconds: float) -> ServientError | None:
    """Why the watch ended `what`, which had so many seconds; None where it did not."""
    match watch.interrupted:
        case Ending.DEADLINE:
            return DeadlineExceeded(f"{what} did not end within {seconds:g} s")
        case Ending.FOLDER_FULL:
            return ActionFailed(f"{what} was ended: it filled its folder")
        case Ending.CANCELLED:
            return ActionFailed(f"{what} was ended: it was cancelled")
        case Ending.CLOSED:
            return ActionFailed(f"{what} was ended: its deployment was removed")
    return None


def to_error(what: str, error: Exception | None) -> ServientError:
    """What the engine raised when the guest ran `what`, as one of our errors."""
    if isinstance(error, wasmtime.ExitTrap):
        return ModuleExited(f"{what} ended the module with exit code {error.code}")
    if isinstance(error, wasmtime.Trap) and error.trap_code in TRAPS:
        return ModuleTrapped(f"{what} trapped: {TRAPS[error.trap_code]}")
    text = str(error)  # a backtrace, and then the reason
    reason = " ".join((text.partition("Caused by:")[2] or text).split())
    return ModuleTrapped(f"{what} trapped: {reason[:200]}")

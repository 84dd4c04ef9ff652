"""How a component ended, in words. The engine tells it in a text, not in a code."""

import re

import wasmtime

from servient.errors import ModuleExited, ModuleTrapped, ServientError, TooLarge
from servient.wasm.traps import TRAPS, to_error

# What the engine writes behind "wasm trap: ", of the traps that it has a code for elsewhere.
_TEXTS = {
    "call stack exhausted": wasmtime.TrapCode.STACK_OVERFLOW,
    "out of bounds memory access": wasmtime.TrapCode.MEMORY_OUT_OF_BOUNDS,
    "undefined element: out of bounds table access": wasmtime.TrapCode.TABLE_OUT_OF_BOUNDS,
    "uninitialized element": wasmtime.TrapCode.INDIRECT_CALL_TO_NULL,
    "indirect call type mismatch": wasmtime.TrapCode.BAD_SIGNATURE,
    "integer overflow": wasmtime.TrapCode.INTEGER_OVERFLOW,
    "integer divide by zero": wasmtime.TrapCode.INTEGER_DIVISION_BY_ZERO,
    "invalid conversion to integer": wasmtime.TrapCode.BAD_CONVERSION_TO_INTEGER,
    "wasm `unreachable` instruction executed": wasmtime.TrapCode.UNREACHABLE,
}
_EXIT = re.compile(r"Exited with i32 exit status (-?\d+)")
_TRAP = re.compile(r"wasm trap: (.+)")
_TOO_MUCH = "fuel allocated for hostcalls has been exhausted"


def component_error(what: str, error: wasmtime.WasmtimeError) -> ServientError:
    """What the engine raised when the guest ran `what`, as one of our errors."""
    text = str(error)
    if found := _EXIT.search(text):
        return ModuleExited(f"{what} ended the component with exit code {found[1]}")
    if _TOO_MUCH in text:
        return TooLarge(f"{what} returned more than a component may hand over")
    found = _TRAP.search(text)
    if found and (code := _TEXTS.get(found[1].strip())):
        return ModuleTrapped(f"{what} trapped: {TRAPS[code]}")
    return to_error(what, error)

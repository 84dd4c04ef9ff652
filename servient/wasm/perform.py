"""A whole call: its files before, the function, its files and its output afterwards."""

from servient.errors import ServientError, TooLarge
from servient.wasm.folder import Folder
from servient.wasm.guest import Guest, Returned
from servient.wasm.mounts import Mounts
from servient.wasm.types import Call, CallResult

# A record is kept for a long time.
NOTE_LIMIT_BYTES = 64 * 1024


def perform(guest: Guest, folder: Folder, call: Call) -> CallResult:
    """Blocking. Raises as `Guest.call` does, and TooLarge for an output file.

    What the guest printed before it failed is in the error's notes.
    """
    with Mounts(folder, call.inputs, call.outputs, call.any_output) as mounts:
        try:
            values, seconds = _enter(guest, call)
        except ServientError as error:
            error.notes |= to_notes(guest.stdout.taken(), guest.stderr.taken())
            raise
        stdout, stderr = guest.stdout.taken(), guest.stderr.taken()
        if call.command_line and guest.stdout.is_cut:
            limit = guest.stdout.limit_bytes
            raise TooLarge(f"the program wrote over {limit} bytes to its standard output")
        return CallResult(values, mounts.take(), stdout, stderr, seconds)


def _enter(guest: Guest, call: Call) -> Returned:
    if call.command_line:
        return guest.run(call.function, call.deadline_seconds)
    if call.buffers:
        return guest.call_with(call.function, call.buffers, call.deadline_seconds)
    return guest.call(call.function, call.arguments, call.deadline_seconds)


def to_notes(stdout: bytes, stderr: bytes) -> dict[str, str]:
    """What a guest printed, for the record of an invocation; nothing where it printed nothing."""
    printed = {"stdout": stdout, "stderr": stderr}
    return {
        name: text[:NOTE_LIMIT_BYTES].decode(errors="replace")
        for name, text in printed.items()
        if text
    }

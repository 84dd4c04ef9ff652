"""A whole call: its files before, the function, its files and its output afterwards."""

from servient.errors import ServientError
from servient.wasm.folder import Folder
from servient.wasm.guest import Guest, Returned
from servient.wasm.mounts import Mounts
from servient.wasm.types import Call, CallResult


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
        return CallResult(
            values, mounts.take(), guest.stdout.taken(), guest.stderr.taken(), seconds
        )


def _enter(guest: Guest, call: Call) -> Returned:
    if call.buffers:
        return guest.call_with(call.function, call.buffers, call.deadline_seconds)
    return guest.call(call.function, call.arguments, call.deadline_seconds)


def to_notes(stdout: bytes, stderr: bytes) -> dict[str, str]:
    """What a guest printed, for the record of an invocation; nothing where it printed nothing."""
    printed = {"stdout": stdout, "stderr": stderr}
    return {name: text.decode(errors="replace") for name, text in printed.items() if text}

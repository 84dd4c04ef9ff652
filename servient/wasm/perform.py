"""A whole call: its files before, the function, its files and its output afterwards."""

from servient.wasm.folder import Folder
from servient.wasm.guest import Guest
from servient.wasm.types import Call, CallResult


def perform(guest: Guest, folder: Folder, call: Call) -> CallResult:
    """Blocking. Raises as `Guest.call` does, and TooLarge for an output file."""
    folder.prepare(call.inputs, call.outputs)
    if call.any_output:
        folder.mark()
    if call.buffers:
        values, seconds = guest.call_with(call.function, call.buffers, call.deadline_seconds)
    else:
        values, seconds = guest.call(call.function, call.arguments, call.deadline_seconds)
    files = folder.collect(folder.written() if call.any_output else call.outputs)
    return CallResult(values, files, guest.stdout.taken(), guest.stderr.taken(), seconds)

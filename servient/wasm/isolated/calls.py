"""Calls as messages, from the servient to a module's process."""

from collections.abc import Sequence
from typing import Any

from servient.wasm.isolated.messages import Message, to_parts
from servient.wasm.types import Buffer, Call, CommandLine

# Models that a process is sent once only; what comes after them is sent with each call.
KEPT_LIMIT = 8


class SentBuffers:
    """What one process has been sent and keeps: the servient's side of `KeptBuffers`."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}

    def entry(self, buffer: Buffer, frames: list[bytes]) -> dict[str, Any]:
        """How a buffer stands in a header; its bytes become a frame where they must be sent."""
        number = self._numbers.get(buffer.body) if buffer.is_kept else None
        if number is not None:
            return {"is_kept": True, "number": number}
        frames.append(buffer.body)
        if not buffer.is_kept or len(self._numbers) == KEPT_LIMIT:
            return {"is_kept": buffer.is_kept}
        self._numbers[buffer.body] = len(self._numbers)
        return {"is_kept": True, "keep": True}


class KeptBuffers:
    """What this process was sent to keep, numbered in the order of its coming."""

    def __init__(self) -> None:
        self._bodies: list[bytes] = []

    def buffer(self, entry: dict[str, Any], frames: list[bytes]) -> Buffer:
        """Takes its bytes from the front of the frames unless they are here already."""
        if "number" in entry:
            return Buffer(self._bodies[entry["number"]], True)
        body = frames.pop(0)
        if entry.get("keep"):
            self._bodies.append(body)
        return Buffer(body, entry["is_kept"])


def call_to_parts(call: Call, sent: SentBuffers) -> tuple[bytes, ...]:
    """A call as it is sent to the process that was sent these buffers before."""
    header: dict[str, Any] = {"function": call.function, "seconds": call.deadline_seconds}
    if call.is_plain:
        return to_parts({**header, "arguments": call.arguments})
    frames = list(call.inputs.values())
    return to_parts(
        {
            **header,
            "arguments": call.arguments,
            "inputs": list(call.inputs),
            "outputs": call.outputs,
            "any_output": call.any_output,
            "buffers": [sent.entry(buffer, frames) for buffer in call.buffers],
            "command_line": _command_line(call, frames),
        },
        frames,
    )


def to_call(message: Message, kept: KeptBuffers) -> Call:
    """The call that `call_to_parts` wrote: the servient is believed."""
    header, frames = message.header, list(message.frames)
    line = header.get("command_line")
    inputs = {name: frames.pop(0) for name in header.get("inputs", ())}
    return Call(
        function=header["function"],
        arguments=tuple(header["arguments"]),
        inputs=inputs,
        outputs=tuple(header.get("outputs", ())),
        any_output=header.get("any_output", False),
        buffers=tuple(kept.buffer(entry, frames) for entry in header.get("buffers", ())),
        deadline_seconds=header["seconds"],
        command_line=CommandLine(tuple(line), frames.pop(0)) if line is not None else None,
    )


def _command_line(call: Call, frames: list[bytes]) -> Sequence[str] | None:
    """The arguments; the standard input is the last frame."""
    if call.command_line is None:
        return None
    frames.append(call.command_line.stdin)
    return call.command_line.arguments

"""Answers as messages, from a module's process to the servient, which does not believe them."""

import math
from typing import Any

from servient.errors import (
    ActionFailed,
    DeadlineExceeded,
    InvalidInput,
    ModuleExited,
    ModuleTrapped,
    ServientError,
    TooLarge,
)
from servient.wasm.folder import check_name
from servient.wasm.isolated.messages import Malformed, Message, to_bytes
from servient.wasm.perform import NOTE_LIMIT_BYTES, to_notes
from servient.wasm.types import Call, CallResult, Limits, Signature, ValueType
from servient.wasm.values import INTEGER_BITS

# What a guest can cause; the most particular first.
ERRORS: dict[str, type[ServientError]] = {
    kind.__name__: kind
    for kind in (
        ModuleTrapped,
        ModuleExited,
        ActionFailed,
        DeadlineExceeded,
        TooLarge,
        InvalidInput,
    )
}
DETAIL_CHARACTERS = 1000


def result_to_bytes(result: CallResult) -> bytes:
    header = {
        "values": result.values,
        "files": list(result.files),
        "seconds": result.seconds,
    }
    if result.files or result.stdout or result.stderr:
        return to_bytes(header, (result.stdout, result.stderr, *result.files.values()))
    return to_bytes(header)


def error_to_bytes(error: ServientError) -> bytes:
    """What the guest printed comes with it. An error that no guest can cause is raised again."""
    kind = next((name for name, each in ERRORS.items() if isinstance(error, each)), None)
    if kind is None:
        raise error
    printed = [error.notes.get(name, "").encode() for name in ("stdout", "stderr")]
    return to_bytes({"error": kind, "detail": error.detail[:DETAIL_CHARACTERS]}, printed)


def answer_limit_bytes(call: Call, limits: Limits) -> int:
    """How many bytes of frames an answer to the call can have."""
    count = len(call.outputs) or call.any_output
    printed = _stdout_limit_bytes(call, limits) + 2 * _printed_limit_bytes(limits)
    return count * limits.output_bytes + printed


def parse_error(message: Message, limits: Limits) -> ServientError | None:
    """The error that a message tells of, None for another message. Raises Malformed."""
    if "error" not in message.header:
        return None
    kind, detail = message.header["error"], message.header.get("detail")
    if not isinstance(kind, str) or kind not in ERRORS or not isinstance(detail, str):
        raise Malformed("an error that is none")
    if len(detail) > DETAIL_CHARACTERS or not _is_text(detail):
        raise Malformed("an error whose detail cannot be shown")
    error = ERRORS[kind](detail)
    error.notes |= to_notes(*_printed(message, 2, _printed_limit_bytes(limits)))
    return error


def parse_result(message: Message, call: Call, signature: Signature, limits: Limits) -> CallResult:
    """Raises Malformed for what cannot be the result of this call."""
    header = message.header
    seconds, names = header.get("seconds"), header.get("files")
    if type(seconds) is not float or not 0 <= seconds < math.inf:
        raise Malformed("a call that took no time that there is")
    names = _parse_names(names, call)
    stdout, stderr = b"", b""
    if message.frames or names:
        stdout, stderr = _printed(message, 2 + len(names), _stdout_limit_bytes(call, limits))
    files = dict(zip(names, message.frames[2:], strict=True))
    if any(len(body) > limits.output_bytes for body in files.values()):
        raise Malformed("a file that is over its limit")
    return CallResult(
        _parse_values(header.get("values"), signature), files, stdout, stderr, seconds
    )


def _parse_values(values: Any, signature: Signature) -> tuple[int | float, ...]:
    types = signature.results
    if not isinstance(values, list) or len(values) != len(types):
        raise Malformed("another number of results")
    if not all(map(_is_value, values, types)):
        raise Malformed("results of other types")
    return tuple(values)


def _is_value(value: Any, kind: ValueType) -> bool:
    if kind not in INTEGER_BITS:
        return type(value) is float
    bits = INTEGER_BITS[kind] - 1
    return type(value) is int and -(1 << bits) <= value < 1 << bits


def _parse_names(names: Any, call: Call) -> list[str]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Malformed("files without names")
    if len(set(names)) != len(names) or len(names) > max(len(call.outputs), call.any_output):
        raise Malformed("more files than were wanted")
    if not call.any_output and not set(names) <= set(call.outputs):
        raise Malformed("files that were not wanted")
    try:
        return [check_name(name) for name in names]
    except InvalidInput as error:
        raise Malformed(error.detail) from error


def _printed(message: Message, count: int, limit_bytes: int) -> tuple[bytes, bytes]:
    """The first two of so many frames: stdout and stderr."""
    if len(message.frames) != count:
        raise Malformed("another number of frames")
    stdout, stderr = message.frames[:2]
    if max(len(stdout), len(stderr)) > limit_bytes:
        raise Malformed("more output than is kept")
    return stdout, stderr


def _printed_limit_bytes(limits: Limits) -> int:
    """In an error it is text already, in which three bytes may stand for one that was none."""
    return 3 * max(limits.stdout_bytes, NOTE_LIMIT_BYTES)


def _stdout_limit_bytes(call: Call, limits: Limits) -> int:
    return limits.program_output_bytes if call.command_line else limits.stdout_bytes


def _is_text(text: str) -> bool:
    return not any("\ud800" <= each <= "\udfff" for each in text)

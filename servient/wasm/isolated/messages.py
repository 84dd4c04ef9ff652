"""What passes between the servient and a module's process: a header of JSON, and frames of bytes.

A message is the length of its header and of all frames (two u32, little-endian), the header, the
frames. Nothing in it can do more than be data, whoever wrote it.
"""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

HEADER_LIMIT_BYTES = 256 * 2**10
_LENGTHS = struct.Struct("<II")
_SIZES = "sizes"


class Malformed(Exception):
    """What the other side sent is not what it should be; says in which respect."""


@dataclass(frozen=True, slots=True)
class Message:
    """The members of the header, and the frames."""

    header: Mapping[str, Any]
    frames: tuple[bytes, ...] = ()


def to_bytes(header: Mapping[str, Any], frames: Sequence[bytes] = ()) -> bytes:
    """A message as it is sent."""
    return b"".join(to_parts(header, frames))


def to_parts(header: Mapping[str, Any], frames: Sequence[bytes] = ()) -> tuple[bytes, ...]:
    """The same for sending one part after the other, without another copy of large frames."""
    sizes = {_SIZES: [len(frame) for frame in frames]} if frames else {}
    # Numbers that are not finite are spelt as Python's own decoder reads them.
    text = json.dumps({**header, **sizes}, separators=(",", ":")).encode()
    return (_LENGTHS.pack(len(text), sum(map(len, frames))) + text, *frames)


class Decoder:
    """Takes bytes as they come and gives the messages that are complete.

    `limit_bytes` bounds the frames of the next message; whoever expects one sets it.
    """

    def __init__(self, limit_bytes: int = 0) -> None:
        self.limit_bytes = limit_bytes
        self._received = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Raises Malformed, and is of no use from then on."""
        self._received += data
        while (message := self._next()) is not None:
            yield message

    def _next(self) -> Message | None:
        if len(self._received) < _LENGTHS.size:
            return None
        header_bytes, frames_bytes = _LENGTHS.unpack_from(self._received)
        if header_bytes > HEADER_LIMIT_BYTES or frames_bytes > self.limit_bytes:
            raise Malformed(f"a message of {header_bytes} and {frames_bytes} bytes")
        start = _LENGTHS.size + header_bytes
        end = start + frames_bytes
        if len(self._received) < end:
            return None
        with memoryview(self._received) as view:
            header = _parse_header(bytes(view[_LENGTHS.size : start]))
            message = Message(header, _cut(view[start:end], header.get(_SIZES, [])))
        del self._received[:end]
        return message


def _parse_header(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed("a header that is not JSON") from error
    if not isinstance(header, dict):
        raise Malformed("a header that is no object")
    return header


def _cut(view: memoryview, sizes: Any) -> tuple[bytes, ...]:
    if not isinstance(sizes, list) or not all(type(size) is int and size >= 0 for size in sizes):
        raise Malformed("frames whose sizes are no numbers")
    if sum(sizes) != len(view):
        raise Malformed("frames that are shorter or longer than they say")
    frames, at = [], 0
    for size in sizes:
        frames.append(bytes(view[at : at + size]))
        at += size
    return tuple(frames)

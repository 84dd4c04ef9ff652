"""Frames of a client, out of the bytes as they come (RFC 6455 section 5)."""

from typing import NamedTuple

# tornado's, in C.
from tornado.util import _websocket_mask as _mask

CONTINUATION, TEXT = 0x0, 0x1
_FINAL, _RESERVED, _OPCODE, _CONTROL = 0x80, 0x70, 0x0F, 0x08
_MASKED, _LENGTH = 0x80, 0x7F
_CONTROL_BYTES = 125
_MASK_BYTES = 4
# By the seven bits of the length that say so: of how many bytes the length itself is.
_LONGER = {126: 2, 127: 8}


class BrokenFrame(ValueError):
    """What came is no frame, or none that may come now."""


class TooBig(ValueError):
    """A message is longer than may be taken."""


class Message(NamedTuple):
    """A whole message, or what a control frame says, by its opcode."""

    opcode: int
    data: bytes


class _Frame(NamedTuple):
    first: int
    data: bytes


class Frames:
    """Takes bytes as they come and gives messages when they are whole."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._received = bytearray()
        self._at = 0
        self._begun: bytearray | None = None
        self._begun_opcode = 0
        self._wanted_bytes = 0

    @property
    def missing_bytes(self) -> int:
        """How much of a frame whose length is known is still to come."""
        return max(0, self._wanted_bytes - len(self._received) + self._at)

    def feed(self, data: bytes) -> None:
        if self._at:
            del self._received[: self._at]
            self._at = 0
        self._received += data

    def next(self) -> Message | None:
        """None while there is none. Raises BrokenFrame, and TooBig as soon as it is known."""
        while (frame := self._next_frame()) is not None:
            message = self._take(frame.first, frame.data)
            if message is not None:
                return message
        return None

    def _next_frame(self) -> _Frame | None:
        received, at = self._received, self._at
        there = len(received) - at
        if there < 2:
            return None
        first, second = received[at], received[at + 1]
        length, begin = second & _LENGTH, at + 2
        if first & _RESERVED or (first & _CONTROL and length > _CONTROL_BYTES):
            raise BrokenFrame("a frame has bits or a length that it may not have")
        if (width := _LONGER.get(length)) is not None:
            if there < 2 + width:
                return None
            begin += width
            length = int.from_bytes(received[at + 2 : begin], "big")
        if length + len(self._begun or b"") > self._limit_bytes:
            raise TooBig(f"a message has more than {self._limit_bytes} bytes")
        is_masked = second & _MASKED
        start = begin + _MASK_BYTES if is_masked else begin
        end = start + length
        self._wanted_bytes = end - at
        if len(received) < end:
            return None
        self._wanted_bytes = 0
        data = bytes(received[start:end])
        self._at = end
        return _Frame(first, _mask(bytes(received[begin:start]), data) if is_masked else data)

    def _take(self, first: int, data: bytes) -> Message | None:
        """Section 5.4: control frames may come between the fragments of a message."""
        opcode, is_final = first & _OPCODE, bool(first & _FINAL)
        if opcode & _CONTROL:
            if not is_final:
                raise BrokenFrame("a control frame is fragmented")
            return Message(opcode, data)
        if (opcode == CONTINUATION) is (self._begun is None):
            raise BrokenFrame("fragments are out of order")
        if self._begun is None:
            if is_final:
                return Message(opcode, data)
            self._begun, self._begun_opcode = bytearray(data), opcode
            return None
        self._begun += data
        if not is_final:
            return None
        whole, self._begun = bytes(self._begun), None
        return Message(self._begun_opcode, whole)


def text_header(length: int) -> bytes:
    """What goes before a whole text of a server."""
    first = _FINAL | TEXT
    if length <= _CONTROL_BYTES:
        return bytes((first, length))
    if length <= 0xFFFF:
        return bytes((first, 126)) + length.to_bytes(2, "big")
    return bytes((first, 127)) + length.to_bytes(8, "big")

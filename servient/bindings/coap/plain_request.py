"""A plain request: confirmable, whole in its datagram, of one answer. Most are."""

from functools import lru_cache
from typing import Any

from aiocoap.numbers.codes import DELETE, GET, POST, PUT

from servient.bindings.coap.options import Malformed, Options, parse_options, split

_CODES = {int(code): code for code in (GET, POST, PUT, DELETE)}
# The first byte of a confirmable message of version 1, without the length of its token.
_CONFIRMABLE = 0x40
_HEADER_BYTES = 4
_TOKEN_BYTES = 8
_PAYLOAD_MARKER = 0xFF
# Clients ask for the same again and again. Longer options, as of file names, are parsed each time.
_KNOWN_OPTIONS = 1024
_KNOWN_BYTES = 256


class PlainRequest:
    """What is asked, and what its answer has to repeat; `remote` is who asks, in aiocoap's terms."""

    __slots__ = ("code", "mid", "options", "payload", "remote", "token")

    def __init__(
        self, code: Any, mid: int, token: bytes, options: Options, payload: bytes, remote: Any
    ) -> None:
        self.code = code
        self.mid = mid
        self.token = token
        self.options = options
        self.payload = payload
        self.remote = remote


def parse_plain(datagram: bytes, remote: Any) -> PlainRequest | None:
    """None for anything that is not one, or that is to be refused: others see to that."""
    if len(datagram) < _HEADER_BYTES:
        return None
    token_length = datagram[0] - _CONFIRMABLE
    code = _CODES.get(datagram[1])
    start = _HEADER_BYTES + token_length
    if code is None or not 0 <= token_length <= _TOKEN_BYTES or start > len(datagram):
        return None
    end = _end_of_options(datagram, start)
    raw = datagram[start:end]
    options = _known(raw) if len(raw) <= _KNOWN_BYTES else _parse(raw)
    # What follows the marker of a payload is one.
    if options is None or end + 1 == len(datagram):
        return None
    mid = datagram[2] << 8 | datagram[3]
    token = datagram[_HEADER_BYTES:start]
    return PlainRequest(code, mid, token, options, datagram[end + 1 :], remote)


def _end_of_options(data: bytes, at: int) -> int:
    """Where the marker of the payload is, or the end of it all (RFC 7252 section 3.1).

    Beyond the end for options that are cut off; what is wrong with them, `split` says.
    """
    end = len(data)
    while at < end:
        head = data[at]
        if head == _PAYLOAD_MARKER:
            return at
        delta, length = head >> 4, head & 0x0F
        at += 1
        if delta >= 13:
            at += delta - 12
        if length >= 13:
            if at >= end:
                return end
            length = data[at] + 14 if length == 13 else _long(data, at)
        at += length
    return end


def _long(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big") + 271


def _parse(raw: bytes) -> Options | None:
    try:
        options = parse_options(split(raw)[0])
    except Malformed:
        return None
    is_plain = (
        options.fault is None
        and options.oscore is None
        and options.observe is None
        and options.block1 is None
        and (options.block2 is None or options.block2.number == 0)
    )
    return options if is_plain else None


# Bounded, and the same for all servients of a process: it is a function of bytes.
_known = lru_cache(_KNOWN_OPTIONS)(_parse)

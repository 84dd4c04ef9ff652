"""Answers as the bytes of an acknowledgement (RFC 7252 section 3)."""

from functools import lru_cache

from servient.bindings.coap.answers import Answer

_ACKNOWLEDGEMENT = 0x60  # of version 1, without the length of a token
_ETAG, _LOCATION_PATH, _CONTENT_FORMAT, _MAX_AGE = 4, 8, 12, 14
_PAYLOAD_MARKER = b"\xff"


def empty_acknowledgement(mid: int) -> bytes:
    return bytes((_ACKNOWLEDGEMENT, 0, mid >> 8, mid & 0xFF))


def acknowledgement(mid: int, token: bytes, answer: Answer) -> bytes:
    """With the answer in it, which has to fit."""
    head = bytes((_ACKNOWLEDGEMENT | len(token), int(answer.code), mid >> 8, mid & 0xFF))
    options = _options(answer.tag, answer.location, answer.content_format, answer.max_age_seconds)
    if not answer.body:
        return head + token + options
    return b"".join((head, token, options, _PAYLOAD_MARKER, answer.body))


# Nearly all answers have the same few. Bounded, and a function of what it is given alone.
@lru_cache(256)
def _options(
    tag: bytes | None,
    location: tuple[str, ...],
    content_format: int | None,
    max_age_seconds: int | None,
) -> bytes:
    options: list[tuple[int, bytes]] = []
    if tag is not None:
        options.append((_ETAG, tag))
    options += [(_LOCATION_PATH, segment.encode()) for segment in location]
    if content_format is not None:
        options.append((_CONTENT_FORMAT, _uint(content_format)))
    if max_age_seconds is not None:
        options.append((_MAX_AGE, _uint(max_age_seconds)))
    encoded, last = b"", 0
    for number, value in options:
        encoded += _option(number - last, value)
        last = number
    return encoded


def _option(delta: int, value: bytes) -> bytes:
    """Section 3.1."""
    first, more = _nibble(delta)
    second, most = _nibble(len(value))
    return bytes((first << 4 | second,)) + more + most + value


def _nibble(number: int) -> tuple[int, bytes]:
    if number < 13:
        return number, b""
    if number < 269:
        return 13, bytes((number - 13,))
    return 14, (number - 269).to_bytes(2, "big")


def _uint(number: int) -> bytes:
    """Section 3.2: without leading zeros."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")

"""What the options of a request say, parsed from bytes that anybody may have sent."""

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from servient.bindings.coap.refusals import BadOption, ProxyingNotSupported
from servient.errors import InvalidInput, ServientError
from servient.wot.tracing import COAP_OPTION as TRACE_CONTEXT
from servient.wot.tracing import from_bytes as to_traceparent

# Option numbers (RFC 7252 section 5.10, RFC 7641, RFC 7959, RFC 9175).
URI_HOST = 3
ETAG = 4
OBSERVE = 6
URI_PORT = 7
OSCORE = 9
URI_PATH = 11
CONTENT_FORMAT = 12
URI_QUERY = 15
ACCEPT = 17
BLOCK2 = 23
BLOCK1 = 27
SIZE2 = 28
PROXY_URI = 35
PROXY_SCHEME = 39
SIZE1 = 60
REQUEST_TAG = 292

_PAYLOAD_MARKER = 0xFF
_TEXTS = frozenset({URI_PATH, URI_QUERY})
_REPEATABLE = frozenset({ETAG, URI_PATH, URI_QUERY, REQUEST_TAG})
# The longest valid value of those that are numbers. A text may be as long as a datagram: whoever
# asks for an overlong name learns that there is no such Thing.
_UINT_BYTES = {
    OBSERVE: 3,
    URI_PORT: 2,
    CONTENT_FORMAT: 2,
    ACCEPT: 2,
    BLOCK2: 3,
    BLOCK1: 3,
    SIZE2: 4,
    SIZE1: 4,
}
_PROXYING = frozenset({PROXY_URI, PROXY_SCHEME})
_UNDERSTOOD = (
    _TEXTS | _REPEATABLE | _PROXYING | _UINT_BYTES.keys() | {URI_HOST, OSCORE, TRACE_CONTEXT}
)

Raw: TypeAlias = dict[int, list[bytes]]


class Malformed(ValueError):
    """A datagram is not a CoAP message."""


class Block(NamedTuple):
    """A Block1 or Block2 option: `size` bytes each, this being the block of that number."""

    number: int
    more: bool
    exponent: int

    @property
    def size(self) -> int:
        return 16 << self.exponent

    @property
    def start(self) -> int:
        return self.number * self.size


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one request. `fault` is why it cannot be served, if it cannot."""

    path: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    etags: tuple[bytes, ...] = ()
    request_tags: tuple[bytes, ...] = ()
    observe: int | None = None
    content_format: int | None = None
    accept: int | None = None
    block1: Block | None = None
    block2: Block | None = None
    size1: int | None = None
    traceparent: str = ""
    oscore: bytes | None = None
    fault: ServientError | None = field(default=None, compare=False)


def split(data: bytes) -> tuple[Raw, bytes]:
    """Options by number, and the payload (RFC 7252 section 3.1). Raises Malformed."""
    options: Raw = {}
    position, number, end = 0, 0, len(data)
    while position < end:
        head = data[position]
        position += 1
        if head == _PAYLOAD_MARKER:
            if position == end:
                raise Malformed("a payload marker without a payload")
            return options, data[position:]
        delta, position = _extended(head >> 4, data, position)
        length, position = _extended(head & 0x0F, data, position)
        number += delta
        if number > 0xFFFF or position + length > end:
            raise Malformed("an option goes beyond its bounds")
        options.setdefault(number, []).append(data[position : position + length])
        position += length
    return options, b""


def _extended(nibble: int, data: bytes, position: int) -> tuple[int, int]:
    width = (nibble - 12) * (nibble > 12)
    if nibble == 15 or position + width > len(data):
        raise Malformed("an option is cut off")
    if not width:
        return nibble, position
    base = 13 if width == 1 else 269
    return base + int.from_bytes(data[position : position + width]), position + width


def parse_options(raw: Raw) -> Options:
    """Never raises: what is wrong with the options is their `fault`."""
    try:
        _check(raw)
        return Options(
            path=_texts(raw, URI_PATH),
            queries=_texts(raw, URI_QUERY),
            etags=tuple(raw.get(ETAG, ())),
            request_tags=tuple(raw.get(REQUEST_TAG, ())),
            observe=_uint(raw, OBSERVE),
            content_format=_uint(raw, CONTENT_FORMAT),
            accept=_uint(raw, ACCEPT),
            block1=_block(raw, BLOCK1),
            block2=_block(raw, BLOCK2),
            size1=_uint(raw, SIZE1),
            traceparent=to_traceparent(b"".join(raw.get(TRACE_CONTEXT, ()))),
            oscore=next(iter(raw.get(OSCORE, ())), None),
        )
    except ServientError as fault:
        return Options(fault=fault)


def _check(raw: Raw) -> None:
    """An option is as good as unknown when it is too long or repeated (RFC 7252 section 5.4)."""
    for number in tuple(raw):
        values = raw[number]
        if number in _UNDERSTOOD:
            limit = _UINT_BYTES.get(number)
            is_valid = (len(values) == 1 or number in _REPEATABLE) and (
                limit is None or len(values[0]) <= limit
            )
            if is_valid and number in _PROXYING:
                raise ProxyingNotSupported("this servient is not a proxy")
            if is_valid:
                continue
        if number & 1:  # critical (RFC 7252 section 5.4.6)
            raise BadOption(f"option {number} is critical and not understood")
        del raw[number]


def _texts(raw: Raw, number: int) -> tuple[str, ...]:
    try:
        return tuple(value.decode() for value in raw.get(number, ()))
    except UnicodeDecodeError as error:
        raise BadOption(f"option {number} is not UTF-8") from error


def _uint(raw: Raw, number: int) -> int | None:
    values = raw.get(number)
    return int.from_bytes(values[0]) if values else None


def _block(raw: Raw, number: int) -> Block | None:
    value = _uint(raw, number)
    if value is None:
        return None
    if value & 7 == 7:  # reserved (RFC 7959 section 2.2)
        raise InvalidInput("a block size of 2048 bytes is not offered over UDP")
    return Block(value >> 4, bool(value & 8), value & 7)

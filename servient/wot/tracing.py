"""The trace context that a call came with, and that calls made for it go on with."""

from contextvars import ContextVar

# The `traceparent` (W3C Trace Context section 3.2) of the request that is served, and of the requests
# that our clients make; "" for none. Who serves a request sets it in the context of that request.
TRACEPARENT: ContextVar[str] = ContextVar("traceparent", default="")
NAME = "traceparent"
# CoAP has no option for it. One of the numbers for experiments (RFC 7252 section 12.2), which servers
# may ignore, proxies may forward, and which is no part of a cache's key (section 5.4).
COAP_OPTION = 65020
_LENGTHS = (2, 32, 16, 2)
_BYTES = sum(_LENGTHS) // 2


def parse_traceparent(text: str | None) -> str:
    """What a request says of its trace; "" for nothing, and for what is no version 00."""
    parts = (text or "").split("-")
    is_known = tuple(map(len, parts)) == _LENGTHS and parts[0] == "00"
    return text or "" if is_known and all(map(_is_hex, parts)) else ""


def to_bytes(traceparent: str) -> bytes:
    """Its parts without their dashes, as 26 bytes."""
    return bytes.fromhex(traceparent.replace("-", ""))


def from_bytes(data: bytes | None) -> str:
    """The text of what `to_bytes` made; "" of anything else."""
    if data is None or len(data) != _BYTES:
        return ""
    digits = data.hex()
    return parse_traceparent(f"{digits[:2]}-{digits[2:34]}-{digits[34:50]}-{digits[50:]}")


def _is_hex(text: str) -> bool:
    return all(character in "0123456789abcdef" for character in text)

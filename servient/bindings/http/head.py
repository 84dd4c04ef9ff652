"""The heads of answers as bytes."""

import http
import re
from collections.abc import Sequence
from functools import lru_cache

from servient.bindings.http.messages import Response

MEDIA_TYPE_LIMIT = 200
_UNFIT = "application/octet-stream"
# They have no body, so they do not say how long it is (RFC 9110 section 8.6).
BODILESS = frozenset({204, 304})

# Pages of other origins may call and read: the graphical interfaces of orchestrators do.
_ANY_ORIGIN = "access-control-allow-origin: *"
_EXPOSED = b"access-control-expose-headers: ETag, Link, Location, Retry-After\r\n"
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")


def to_head(response: Response, date: bytes, *, keep_alive: bool) -> bytes:
    """Up to the empty line; a body of which nobody knows the length comes in chunks.

    `date` is the whole line. Raises ValueError for a header that would be several.
    """
    head = _fixed_head(response.status, _fit(response.media_type)) + date
    if response.headers:
        head += _EXPOSED + _lines(response.headers)
    if response.status not in BODILESS:
        body = response.body
        head += (
            b"content-length: %d\r\n" % len(body)
            if isinstance(body, bytes)
            else b"transfer-encoding: chunked\r\n"
        )
    return head + (b"\r\n" if keep_alive else b"connection: close\r\n\r\n")


@lru_cache(maxsize=256)
def _fixed_head(status: int, media_type: str | None) -> bytes:
    """What all answers of a status and a type begin with."""
    lines = [f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}", _ANY_ORIGIN]
    if media_type is not None:
        lines.append(f"content-type: {media_type}")
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _fit(media_type: str | None) -> str | None:
    """A media type that may come from a client or a module, fit for a header."""
    if media_type is None:
        return None
    is_fit = media_type.isascii() and media_type.isprintable()
    return media_type if is_fit and len(media_type) <= MEDIA_TYPE_LIMIT else _UNFIT


def _lines(headers: Sequence[tuple[str, str]]) -> bytes:
    lines = [f"{name.lower()}: {value}" for name, value in headers]
    if any(map(_CONTROL.search, lines)):
        raise ValueError("a header has control characters in it")
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")

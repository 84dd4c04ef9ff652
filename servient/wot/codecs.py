"""What bodies of each media type say, and how values are put as a consumer asks for them."""

import math
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import cbor2

from servient.errors import InvalidInput, NotAcceptable
from servient.wot.accept import parse_accept, quality
from servient.wot.content import (
    JSON_MEDIA_TYPE,
    NESTING_LIMIT,
    OCTET_STREAM,
    Content,
    Value,
    encode,
    essence,
    is_json,
    parse_json,
    to_json,
)

CBOR_MEDIA_TYPE = "application/cbor"
TEXT_MEDIA_TYPE = "text/plain"

# CBOR has integers of any length: beyond these, consumers' own do not reach.
_INTEGER_LIMIT = 2**64


def decode(content: Content) -> Value:
    """What JSON and CBOR say; other content stays as it is. An empty body is no value.

    Byte strings of CBOR become files. Raises InvalidInput for what is malformed, for NaN, infinities
    and text that is not UTF-8.
    """
    if not content.body:
        return None
    if content.is_json:
        return parse_json(content.body)
    return parse_cbor(content.body) if is_cbor(content.media_type) else content


def is_cbor(media_type: str) -> bool:
    name = essence(media_type)
    return name == CBOR_MEDIA_TYPE or name.endswith("+cbor")


def parse_cbor(body: bytes) -> Value:
    """A value from outside (RFC 8949). Raises InvalidInput, never anything else."""
    stream = BytesIO(body)
    try:
        value = cbor2.load(stream)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidInput(f"the body is not CBOR: {str(error)[:200]}") from error
    if stream.read(1):
        raise InvalidInput("the body goes on after its CBOR value")
    return _checked(value, NESTING_LIMIT)


def _checked(value: Any, levels: int) -> Value:
    """What JSON has words for, and bytes. Raises InvalidInput."""
    match value:
        case None | bool() | str():
            return value
        case int() if -_INTEGER_LIMIT < value < _INTEGER_LIMIT:
            return value
        case float() if math.isfinite(value):
            return value
        case bytes():
            return Content(value, OCTET_STREAM)
        case list() | dict() if levels == 0:
            raise InvalidInput(f"the body is nested more than {NESTING_LIMIT} levels deep")
        case list():
            return [_checked(member, levels - 1) for member in value]
        case dict():
            if not all(isinstance(name, str) for name in value):
                raise InvalidInput("the members of an object are named by text")
            return {name: _checked(member, levels - 1) for name, member in value.items()}
    raise InvalidInput(f"the body has a {type(value).__name__} in it, which is no JSON value")


def to_cbor(value: Value) -> bytes:
    """A value that can be written as JSON, with its files as byte strings."""
    body: bytes = cbor2.dumps(value, default=_file_to_cbor)
    return body


def _file_to_cbor(encoder: Any, value: object) -> None:
    if not isinstance(value, Content):
        raise TypeError(f"{type(value).__name__} is not a value")
    encoder.encode(value.body)


def _to_text(value: Value) -> bytes:
    return value.encode() if isinstance(value, str) else to_json(value)


_ENCODERS: Mapping[str, Callable[[Value], bytes]] = {
    JSON_MEDIA_TYPE: to_json,
    CBOR_MEDIA_TYPE: to_cbor,
    TEXT_MEDIA_TYPE: _to_text,
}


def offers(media_type: str) -> tuple[str, ...]:
    """The media types in which values of this one are to be had, the one of their own first."""
    if is_json(media_type):
        return (media_type, CBOR_MEDIA_TYPE, TEXT_MEDIA_TYPE)
    return tuple(dict.fromkeys((media_type, JSON_MEDIA_TYPE, OCTET_STREAM)))


def represent(value: Value, accept: str | None) -> Content:
    """The bytes of a value as an Accept header wants them (RFC 9110 section 12.5.1).

    A file also comes as base64 in JSON or as mere bytes, anything else as CBOR or text. Raises
    NotAcceptable when nothing that is offered is wanted.
    """
    content = encode(value)
    if accept is None or accept == "*/*":
        return content
    ranges = parse_accept(accept)
    offered = offers(content.media_type)
    best = max(offered, key=lambda media_type: quality(media_type, ranges))
    if quality(best, ranges) <= 0:
        raise NotAcceptable(f"this is to be had as {', '.join(offered)}")
    return convert(value, content, best)


def convert(value: Value, content: Content, media_type: str) -> Content:
    """A value, whose own content is given, as one of its `offers`."""
    if media_type == content.media_type:
        return content
    if not content.is_json and media_type == OCTET_STREAM:
        return Content(content.body, OCTET_STREAM)
    if isinstance(value, Content) and value.is_json:
        value = parse_json(value.body)
    return Content(_ENCODERS[media_type](value), media_type)

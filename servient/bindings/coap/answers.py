"""Answers: values and errors as CoAP codes, content formats and bytes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from aiocoap import Message
from aiocoap.numbers import codes

from servient.bindings.coap import content_formats
from servient.bindings.coap.options import Block
from servient.bindings.coap.refusals import (
    BadOption,
    BlocksMissing,
    ProxyingNotSupported,
)
from servient.bindings.paths import to_path
from servient.errors import NotAcceptable, ServientError, problem
from servient.wot.codecs import convert, offers
from servient.wot.content import Content, Value, encode, to_json

_CODES = {
    400: codes.BAD_REQUEST,
    401: codes.UNAUTHORIZED,
    403: codes.FORBIDDEN,
    404: codes.NOT_FOUND,
    405: codes.METHOD_NOT_ALLOWED,
    406: codes.NOT_ACCEPTABLE,
    409: codes.CONFLICT,
    413: codes.REQUEST_ENTITY_TOO_LARGE,
    415: codes.UNSUPPORTED_CONTENT_FORMAT,
    429: codes.TOO_MANY_REQUESTS,
    502: codes.BAD_GATEWAY,
    503: codes.SERVICE_UNAVAILABLE,
    504: codes.GATEWAY_TIMEOUT,
}
_OWN_CODES: dict[type[ServientError], Any] = {
    BadOption: codes.BAD_OPTION,
    BlocksMissing: codes.REQUEST_ENTITY_INCOMPLETE,
    ProxyingNotSupported: codes.PROXYING_NOT_SUPPORTED,
}
# A path that is longer is not repeated in the problem that it caused.
_INSTANCE_LENGTH = 200
_ETAG_BYTES = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """A response before it is cut into blocks. Without a body, it has no content format.

    `location` is the path of what was created. Where `max_age_seconds` is not given, caches may take
    it to be fresh for a minute (RFC 7252 section 5.10.5). `tag` names what a client may keep and ask
    to be validated; an answer in blocks has one anyhow.
    """

    code: Any
    body: bytes = b""
    content_format: int | None = None
    location: tuple[str, ...] = ()
    max_age_seconds: int | None = None
    tag: bytes | None = None

    def etag(self) -> bytes:
        return blake2b(self.body, digest_size=_ETAG_BYTES).digest()

    def message(self) -> Message:
        message = Message(code=self.code, payload=self.body)
        if self.content_format is not None:
            message.opt.content_format = self.content_format
        return self._described(message)

    def _described(self, message: Message) -> Message:
        if self.tag is not None:
            message.opt.etag = self.tag
        if self.location:
            message.opt.location_path = self.location
        if self.max_age_seconds is not None:
            message.opt.max_age = self.max_age_seconds
        return message

    def part(self, block: Block, etag: bytes) -> Message:
        """One block of it (RFC 7959 section 2.4). Raises BlocksMissing beyond its end."""
        end = block.start + block.size
        if block.start >= len(self.body):
            raise BlocksMissing(f"there is no block {block.number}")
        message = Message(code=self.code, payload=self.body[block.start : end])
        message.opt.content_format = self.content_format
        message.opt.etag = etag
        message.opt.block2 = (block.number, end < len(self.body), block.exponent)
        if block.number == 0:
            message.opt.size2 = len(self.body)
        return self._described(message)


def to_answer(
    value: Value, code: Any, accept: int | None = None, max_age_seconds: int | None = None
) -> Answer:
    """A value as the client wants it. Raises NotAcceptable."""
    if value is None:
        return Answer(code)
    return content_answer(encode(value), code, accept, max_age_seconds)


def content_answer(
    content: Content, code: Any, accept: int | None = None, max_age_seconds: int | None = None
) -> Answer:
    """Content as the client wants it; what it may be besides itself, `offers` says."""
    number = content_formats.to_number(content.media_type)
    if accept is None or accept == number:
        return Answer(code, content.body, number, max_age_seconds=max_age_seconds)
    media_type = require_acceptable(content.media_type, accept)
    body = convert(content, content, media_type).body
    return Answer(code, body, accept, max_age_seconds=max_age_seconds)


def validated(answer: Answer, etags: Sequence[bytes]) -> Answer:
    """That what the client has is still right, when it is (RFC 7252 section 5.10.6.2)."""
    if answer.etag() not in etags:
        return answer
    return replace(answer, code=codes.VALID, body=b"", content_format=None, tag=answer.etag())


def require_acceptable(media_type: str, accept: int | None) -> str:
    """What a value of this media type goes as. Raises NotAcceptable when it has no such form."""
    if accept is None:
        return media_type
    offered = {content_formats.to_number(each): each for each in reversed(offers(media_type))}
    if accept not in offered:
        numbers = ", ".join(map(str, offered))
        raise NotAcceptable(f"content format {accept} is not offered; these are: {numbers}")
    return offered[accept]


def error_answer(error: ServientError, path: Sequence[str] = ()) -> Answer:
    """A Problem Details object; its media type has no number, so that it goes as JSON."""
    instance = to_path(*path)
    if len(instance) > _INSTANCE_LENGTH:
        instance = ""
    code = _OWN_CODES.get(type(error)) or _CODES.get(error.status, codes.INTERNAL_SERVER_ERROR)
    # For 5.03, Max-Age says when to try again (RFC 7252 section 5.9.3.4), for 4.29 too (RFC 8516).
    retry = error.retry_after_seconds
    return Answer(
        code, to_json(problem(error, instance)), content_formats.JSON, max_age_seconds=retry
    )

"""An incoming message, decoded so that no datagram can do harm."""

from typing import Any, TypeAlias

from aiocoap import Message
from aiocoap.message import Direction
from aiocoap.numbers.types import NON, Type

from servient.bindings.coap.options import Malformed, Options, parse_options, split
from servient.bindings.coap.plain_request import PlainRequest
from servient.bindings.coap.refusals import BadOption

_HEADER_BYTES = 4
_TOKEN_BYTES = 8


class Incoming(Message):
    """aiocoap's message with the options of a request parsed by us.

    aiocoap's own decoder raises on text that is not UTF-8, keeps every unknown option number and
    content format for ever, and lets critical options pass that nobody understands.
    """

    options = Options()

    @property
    def is_to_be_ignored(self) -> bool:
        """A non-confirmable request with a bad option gets no answer (RFC 7252 section 5.4.1)."""
        return self.mtype is NON and isinstance(self.options.fault, BadOption)


# What there is to answer, whichever way it came.
Asked: TypeAlias = Incoming | PlainRequest


def decode(datagram: bytes, remote: Any) -> Incoming:
    """Raises Malformed (RFC 7252 section 3: such messages are ignored)."""
    if len(datagram) < _HEADER_BYTES or datagram[0] >> 6 != 1:
        raise Malformed("no CoAP header of version 1")
    token_length = datagram[0] & 0x0F
    start = _HEADER_BYTES + token_length
    if token_length > _TOKEN_BYTES or start > len(datagram):
        raise Malformed("no valid token")
    if datagram[1] == 0 and len(datagram) > _HEADER_BYTES:
        raise Malformed("an empty message with something in it")
    message = Incoming(code=datagram[1])
    message.mtype = Type(datagram[0] >> 4 & 3)
    message.mid = int.from_bytes(datagram[2:4])
    message.token = datagram[_HEADER_BYTES:start]
    message.remote = remote
    message.direction = Direction.INCOMING
    if message.code.is_request():
        raw, message.payload = split(datagram[start:])
        message.options = parse_options(raw)
    return message

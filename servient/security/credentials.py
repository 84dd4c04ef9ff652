"""What a request shows: read from its headers, not checked yet."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from servient.errors import Unauthorized

HEADER_LIMIT = 8192
API_KEY_HEADER = "x-api-key"
# A browser cannot set headers for a WebSocket: the token comes as one of the subprotocols it offers.
TOKEN_SUBPROTOCOL = "bearer."  # noqa: S105 - a prefix


@dataclass(frozen=True, slots=True)
class Bearer:
    token: str


@dataclass(frozen=True, slots=True)
class Basic:
    name: str
    password: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    key: str


Credentials = Bearer | Basic | ApiKey


def parse_credentials(authorization: str | None, api_key: str | None) -> Credentials | None:
    """None when nothing is shown. Raises Unauthorized for what cannot be understood."""
    if authorization is not None:
        return _parse_authorization(authorization)
    if api_key is not None:
        return ApiKey(api_key[:HEADER_LIMIT])
    return None


def parse_subprotocols(offered: Sequence[str]) -> Credentials | None:
    """The token among the subprotocols of a handshake, in base64url. Raises Unauthorized."""
    for name in offered:
        if name.startswith(TOKEN_SUBPROTOCOL):
            return Bearer(_parse_base64url(name.removeprefix(TOKEN_SUBPROTOCOL)))
    return None


def _parse_base64url(text: str) -> str:
    if len(text) > HEADER_LIMIT:
        raise Unauthorized("the token is too long")
    try:
        padded = text + "=" * (-len(text) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise Unauthorized("the token is not base64url of UTF-8") from error


def _parse_authorization(header: str) -> Credentials:
    if len(header) > HEADER_LIMIT:
        raise Unauthorized("the Authorization header is too long")
    scheme, _, rest = header.strip().partition(" ")
    match scheme.lower():
        case "bearer" if rest.strip():
            return Bearer(rest.strip())
        case "basic":
            return _parse_basic(rest.strip())
    raise Unauthorized("the Authorization header has to say Bearer or Basic, and the credentials")


def _parse_basic(text: str) -> Basic:
    """RFC 7617 section 2, in UTF-8."""
    try:
        name, colon, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise Unauthorized("the Basic credentials are not base64 of UTF-8") from error
    if not colon:
        raise Unauthorized("the Basic credentials have no colon")
    return Basic(name, password)

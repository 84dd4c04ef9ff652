"""The tornado side: handshakes, frames in and out, and the end of a socket."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

from tornado.iostream import IOStream
from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler, WebSocketProtocol

from servient.bindings.websocket.connection import Connection, Limits
from servient.bindings.websocket.dialect import Dialect
from servient.bindings.websocket.json_rpc import JsonRpc
from servient.bindings.websocket.registry import Registry
from servient.bindings.websocket.served_thing import ServedThing
from servient.bindings.websocket.web_thing_protocol import SUBPROTOCOL, WebThingProtocol
from servient.bindings.websocket.wire import TOO_BIG, Wire
from servient.errors import (
    PROBLEM_MEDIA_TYPE,
    Forbidden,
    InvalidInput,
    NotFound,
    ServientError,
    Unauthorized,
    problem,
)
from servient.security.authenticator import Authenticator
from servient.security.credentials import (
    API_KEY_HEADER,
    Basic,
    parse_credentials,
    parse_subprotocols,
)
from servient.security.describe import to_challenges
from servient.wot.access import Principal
from servient.wot.content import to_json
from servient.wot.door import Door
from servient.wot.servient import Servient

logger = logging.getLogger(__name__)

UNSUPPORTED_DATA = 1003
EXPIRED = 4401  # a code of our own, after HTTP's 401 Unauthorized
# No timer runs for longer: such credentials outlive the connection, in all likelihood.
EXPIRY_LIMIT_SECONDS = 30 * 24 * 3600.0

# By subprotocol; None is what a client speaks that asks for none, as WoTPy's does.
DIALECTS: dict[str | None, type[Dialect[Any]]] = {SUBPROTOCOL: WebThingProtocol, None: JsonRpc}


class UpgradeRequired(ServientError):
    """A plain HTTP request came to a WebSocket endpoint."""

    status = 426
    title = "Upgrade required"


@dataclass(frozen=True, slots=True)
class Site:
    """What the handlers of one binding share."""

    servient: Servient
    door: Door
    registry: Registry
    limits: Limits
    message_limit_bytes: int
    href: Callable[[str], str]
    authenticator: Authenticator | None = None


class ProblemAnswers(RequestHandler):
    """Answers every refused HTTP request with a Problem Details object."""

    def refuse(self, error: ServientError) -> None:
        self.set_status(error.status)
        self.set_header("Content-Type", PROBLEM_MEDIA_TYPE)
        if error.retry_after_seconds is not None:
            self.set_header("Retry-After", str(error.retry_after_seconds))
        if isinstance(error, UpgradeRequired):
            self.set_header("Upgrade", "websocket")
        for name, value in self.challenges(error):
            self.add_header(name, value)
        self.finish(to_json(problem(error, self.request.path)))

    def challenges(self, error: ServientError) -> tuple[tuple[str, str], ...]:
        """The headers that ask for credentials; none unless an endpoint has some."""
        return ()

    def write_error(self, status_code: int, **_: Any) -> None:
        """tornado's own refusals, such as of methods other than GET."""
        self.set_header("Content-Type", PROBLEM_MEDIA_TYPE)
        title = HTTPStatus(status_code).phrase
        self.finish(to_json({"type": "about:blank", "title": title, "status": status_code}))


class NoSuchPath(ProblemAnswers):
    """Everything that is not the path of a Thing."""

    def prepare(self) -> None:
        self.refuse(NotFound("there is nothing at this path; Things are at /things/{name}"))


class ThingSocket(ProblemAnswers, WebSocketHandler):
    """One socket to one Thing, from its handshake to its end."""

    connection: Connection
    _stream: IOStream
    _wire: Wire
    _thing: str
    _principal: Principal | None = None
    _expiry: asyncio.TimerHandle | None = None

    def initialize(self, site: Site) -> None:
        self._site = site

    # Handshake

    async def prepare(self) -> None:
        try:
            await self._authenticate()
            self._admit()
        except ServientError as error:
            logger.debug("%s: %s", self.request.path, error)
            self.refuse(error)

    async def _authenticate(self) -> None:
        """Before anything is looked up, so that strangers learn of nothing. Raises Unauthorized."""
        authenticator, headers = self._site.authenticator, self.request.headers
        if authenticator is None:
            return
        credentials = parse_credentials(
            headers.get("Authorization"), headers.get(API_KEY_HEADER)
        ) or parse_subprotocols(_split(headers.get("Sec-WebSocket-Protocol", "")))
        if credentials is None:
            raise Unauthorized("this takes credentials; the Thing Description says which")
        if isinstance(credentials, Basic) and "Origin" in headers:
            raise Forbidden("a page's browser may have added the password by itself: use a token")
        client = self.request.remote_ip or ""
        self._principal = await authenticator.authenticate(credentials, client)

    def challenges(self, error: ServientError) -> tuple[tuple[str, str], ...]:
        authenticator = self._site.authenticator
        is_asked = authenticator is not None and isinstance(error, Unauthorized)
        return to_challenges(authenticator.schemes) if authenticator and is_asked else ()

    def _admit(self) -> None:
        self._thing = self._site.servient.exposed(self.path_args[0]).name
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            raise UpgradeRequired("this is a WebSocket endpoint")
        offered = self.request.headers.get("Sec-WebSocket-Protocol")
        if offered and SUBPROTOCOL not in _split(offered):
            raise InvalidInput(f"of subprotocols, this endpoint speaks {SUBPROTOCOL} only, or none")
        self._site.registry.admit()

    def check_origin(self, origin: str) -> bool:
        """Web pages of every origin may connect: browsers add no credentials that we would take."""
        return True

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return SUBPROTOCOL if SUBPROTOCOL in subprotocols else None

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        """tornado's way to ask who speaks on the socket; None for a version that nobody does."""
        theirs: Any = super().get_websocket_protocol()
        if theirs is None:
            return None
        seconds = self._site.limits.drain_seconds
        return Wire(self, theirs.params, drain_seconds=seconds, on_stalled=self._cut_off)

    def open(self, *_: str) -> None:
        site = self._site
        self._wire = cast(Wire, self.ws_connection)
        self._stream = self._wire.stream
        self.set_nodelay(True)
        described = site.servient.exposed(self._thing).description
        dialect = DIALECTS[self.selected_subprotocol](described.id, site.href(self._thing))
        thing = ServedThing(site.servient, site.door, self._thing)
        address = self.request.remote_ip or ""
        self.connection = Connection(self, dialect, thing, site.limits, self._principal, address)
        self._expire_with(self._principal)
        site.registry.add(self._thing, self)

    def _expire_with(self, principal: Principal | None) -> None:
        """The connection ends when the credentials that it was opened with do."""
        left = principal.seconds_left if principal is not None else math.inf
        if left <= EXPIRY_LIMIT_SECONDS:
            loop = asyncio.get_running_loop()
            reason = "the credentials have expired"
            self._expiry = loop.call_later(max(0.0, left), self.shut, EXPIRED, reason)

    # Messages

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        limit = self._site.message_limit_bytes
        if _is_longer(message, limit):
            self.shut(TOO_BIG, f"messages have at most {limit} bytes")
            return None
        if isinstance(message, bytes):
            self.shut(UNSUPPORTED_DATA, "messages are text")
            return None
        return self.connection.receive(message)

    def send(self, message: bytes) -> bool:
        return self._wire.put(message)

    async def drained(self) -> None:
        await self._wire.flush()

    def _cut_off(self) -> None:
        logger.info("a consumer of %s does not receive: disconnected", self._thing)
        self.cut()

    # End

    def shut(self, code: int, reason: str) -> None:
        self.close(code, reason)

    def cut(self) -> None:
        self._stream.close()

    def on_close(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        self._site.registry.discard(self._thing, self)


def _is_longer(message: str | bytes, limit_bytes: int) -> bool:
    if isinstance(message, bytes) or message.isascii():
        return len(message) > limit_bytes
    return len(message) > limit_bytes // 4 and len(message.encode()) > limit_bytes


def _split(header: str) -> list[str]:
    return [part.strip() for part in header.split(",")]

"""The tornado side: handshakes, frames in and out, and the end of a socket."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

from tornado.iostream import IOStream
from tornado.web import RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler, WebSocketProtocol13

from servient.bindings.websocket.connection import Connection, Limits
from servient.bindings.websocket.dialect import Dialect
from servient.bindings.websocket.json_rpc import JsonRpc
from servient.bindings.websocket.registry import Registry
from servient.bindings.websocket.served_thing import ServedThing
from servient.bindings.websocket.web_thing_protocol import SUBPROTOCOL, WebThingProtocol
from servient.errors import PROBLEM_MEDIA_TYPE, InvalidInput, NotFound, ServientError, problem
from servient.wot.content import to_json
from servient.wot.door import Door
from servient.wot.servient import Servient

logger = logging.getLogger(__name__)

UNSUPPORTED_DATA = 1003
TOO_BIG = 1009

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


class ProblemAnswers(RequestHandler):
    """Answers every refused HTTP request with a Problem Details object."""

    def refuse(self, error: ServientError) -> None:
        self.set_status(error.status)
        self.set_header("Content-Type", PROBLEM_MEDIA_TYPE)
        if isinstance(error, UpgradeRequired):
            self.set_header("Upgrade", "websocket")
        self.finish(to_json(problem(error, self.request.path)))

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
    _thing: str

    def initialize(self, site: Site) -> None:
        self._site = site

    # Handshake

    def prepare(self) -> None:
        try:
            self._admit()
        except ServientError as error:
            logger.debug("%s: %s", self.request.path, error)
            self.refuse(error)

    def _admit(self) -> None:
        self._thing = self._site.servient.exposed(self.path_args[0]).name
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            raise UpgradeRequired("this is a WebSocket endpoint")
        offered = self.request.headers.get("Sec-WebSocket-Protocol")
        if offered and SUBPROTOCOL not in _split(offered):
            raise InvalidInput(f"of subprotocols, this endpoint speaks {SUBPROTOCOL} only, or none")
        self._site.registry.admit()

    def check_origin(self, origin: str) -> bool:
        """Web pages of every origin may connect: there are no credentials that they could abuse."""
        return True

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return SUBPROTOCOL if SUBPROTOCOL in subprotocols else None

    def open(self, *_: str) -> None:
        site = self._site
        protocol = cast(WebSocketProtocol13, self.ws_connection)
        self._stream = protocol.stream
        self.set_nodelay(True)
        described = site.servient.exposed(self._thing).description
        dialect = DIALECTS[self.selected_subprotocol](described.id, site.href(self._thing))
        thing = ServedThing(site.servient, site.door, self._thing)
        self.connection = Connection(self, dialect, thing, site.limits)
        site.registry.add(self._thing, self)

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

    async def send(self, message: bytes) -> None:
        try:
            sent = self.write_message(message)
            if not self._stream.writing():
                await sent
                return
            async with asyncio.timeout(self._site.limits.drain_seconds):
                await sent
        except WebSocketClosedError:
            logger.debug("a consumer of %s left before its message", self._thing)
        except TimeoutError:
            logger.info("a consumer of %s does not receive: disconnected", self._thing)
            self.cut()

    # End

    def shut(self, code: int, reason: str) -> None:
        self.close(code, reason)

    def cut(self) -> None:
        self._stream.close()

    def on_close(self) -> None:
        self._site.registry.discard(self._thing, self)


def _is_longer(message: str | bytes, limit_bytes: int) -> bool:
    if isinstance(message, bytes) or message.isascii():
        return len(message) > limit_bytes
    return len(message) > limit_bytes // 4 and len(message.encode()) > limit_bytes


def _split(header: str) -> list[str]:
    return [part.strip() for part in header.split(",")]

"""The WebSocket binding: one endpoint per Thing, for both dialects."""

import logging
import socket
import ssl
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.web import Application
from wotpy.protocols.enums import Protocols

from servient.bindings.paths import THINGS, thing_path
from servient.bindings.websocket.connection import Limits
from servient.bindings.websocket.handler import NoSuchPath, Site, ThingSocket
from servient.bindings.websocket.registry import Registry
from servient.bindings.websocket.server import PENDING_LIMIT, Server
from servient.bindings.websocket.web_thing_protocol import SUBPROTOCOL
from servient.security.authenticator import Authenticator
from servient.security.describe import to_security
from servient.wot.binding import Binding
from servient.wot.content import JSON_MEDIA_TYPE
from servient.wot.description import Affordance, Description, Form, Security
from servient.wot.door import Door
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.servient import Servient

logger = logging.getLogger(__name__)

MESSAGE_LIMIT_BYTES = 16 * 2**20
CONNECTION_LIMIT = 1024
REQUEST_BODY_LIMIT_BYTES = 2**16  # of plain HTTP requests, which are all refused
HANDSHAKE_SECONDS = 30.0
PING_SECONDS = 30.0
BACKLOG = 128

GOING_AWAY = 1001  # RFC 6455 section 7.4.1
THING_GONE = 4410  # a code of our own, after HTTP's 410 Gone


_ASKED = [Operation.QUERY_ACTION.value, Operation.CANCEL_ACTION.value]
# What of its affordances lets a Thing offer operations on all of them.
_ON_ALL = (
    (
        Operation.READ_PROPERTY,
        (Operation.READ_ALL_PROPERTIES, Operation.READ_MULTIPLE_PROPERTIES),
    ),
    (Operation.WRITE_PROPERTY, (Operation.WRITE_MULTIPLE_PROPERTIES,)),
    (
        Operation.OBSERVE_PROPERTY,
        (Operation.OBSERVE_ALL_PROPERTIES, Operation.UNOBSERVE_ALL_PROPERTIES),
    ),
    (
        Operation.SUBSCRIBE_EVENT,
        (Operation.SUBSCRIBE_ALL_EVENTS, Operation.UNSUBSCRIBE_ALL_EVENTS),
    ),
    (Operation.INVOKE_ACTION, (Operation.QUERY_ALL_ACTIONS,)),
)


class WebSocketBinding(Binding):
    """Serves each Thing at ws://{public_host}:{port}/things/{thing}.

    A client that asks for the subprotocol `webthingprotocol` gets the Web Thing Protocol, one that
    asks for none gets WoTPy's JSON-RPC. `port` 0 takes a free one. Sockets are closed with 1001 when
    the servient stops, with 4410 when their Thing is gone, with 4401 when the credentials of their
    handshake have expired, with 1003 after a binary message and with 1009 after one that is too big.
    """

    def __init__(
        self,
        public_host: str,
        host: str,
        port: int,
        *,
        message_limit_bytes: int = MESSAGE_LIMIT_BYTES,
        connection_limit: int = CONNECTION_LIMIT,
        pending_limit: int = PENDING_LIMIT,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        authenticator: Authenticator | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(public_host, port)
        self._port: int = port
        self._host = host
        self._connection_limit = connection_limit
        self._pending_limit = pending_limit
        self._message_limit_bytes = message_limit_bytes
        self._limits = limits
        self._authenticator = authenticator
        self._tls = tls
        self._registry = Registry(connection_limit, limits.close_seconds)
        self._server: HTTPServer | None = None

    @property
    def protocol(self) -> Any:
        return Protocols.WEBSOCKETS

    @property
    def connection_count(self) -> int:
        return len(self._registry)

    # Forms

    def build_base_url(self, hostname: str, thing: Any) -> str:
        """Where a Thing is served; without a Thing, where all of them are."""
        host = f"[{hostname}]" if ":" in hostname else hostname
        return f"{'wss' if self._tls else 'ws'}://{host}:{self.port}" + (
            thing_path(thing.url_name) if thing else ""
        )

    def forms(self, thing: Description, affordance: Affordance) -> list[Form]:
        """Both dialects have the same URL: WoTPy's client looks at the scheme only."""
        operations = [op.value for op in Operation if op in affordance.operations]
        if not operations:
            return []
        form: Form = {
            "href": self._href(thing.name),
            "contentType": JSON_MEDIA_TYPE,
            "op": operations,
        }
        asked = _ASKED if affordance.kind is AffordanceKind.ACTION else []
        return [{**form, "op": operations + asked, "subprotocol": SUBPROTOCOL}, form]

    def thing_forms(self, thing: Description) -> list[Form]:
        """Of the Web Thing Protocol alone: WoTPy's dialect knows single affordances."""
        offered = {operation for affordance in thing for operation in affordance.operations}
        operations = [op.value for needed, ops in _ON_ALL if needed in offered for op in ops]
        if not operations:
            return []
        href = self._href(thing.name)
        form: Form = {"href": href, "contentType": JSON_MEDIA_TYPE, "op": operations}
        return [{**form, "subprotocol": SUBPROTOCOL}]

    def security(self) -> Security | None:
        return to_security(self._authenticator.schemes) if self._authenticator else None

    def _href(self, thing: str) -> str:
        return self.build_base_url(self.public_host, None) + thing_path(thing)

    # Life

    async def start(self, servient: Servient) -> None:
        """Raises OSError when the address cannot be listened on."""
        self._registry = Registry(self._connection_limit, self._limits.close_seconds)
        sockets = _listen(self._host, self._port)
        self._port = sockets[0].getsockname()[1]
        self._server = self._build_server(servient)
        self._server.add_sockets(sockets)

    def _build_server(self, servient: Servient) -> HTTPServer:
        site = Site(
            servient,
            Door(servient, "websocket"),
            self._registry,
            self._limits,
            self._message_limit_bytes,
            self._href,
            self._authenticator,
        )
        # tornado hangs up in the middle of a message that is too big for it, so that its sender may
        # not come to read why. One of up to twice the limit is read to its end and then refused.
        most = 2 * self._message_limit_bytes
        application = Application(
            [(rf"/{THINGS}/([^/]+)", ThingSocket, {"site": site})],
            default_handler_class=NoSuchPath,
            log_function=_log_request,
            websocket_max_message_size=most,
            websocket_ping_interval=PING_SECONDS,
        )
        return Server(
            application,
            pending_limit=self._pending_limit,
            ssl_options=self._tls,
            idle_connection_timeout=HANDSHAKE_SECONDS,
            body_timeout=HANDSHAKE_SECONDS,
            max_body_size=REQUEST_BODY_LIMIT_BYTES,
            max_buffer_size=most + REQUEST_BODY_LIMIT_BYTES,
        )

    def remove_exposed_thing(self, thing_id: str) -> None:
        self._registry.end_all_of(thing_id, THING_GONE, "the Thing is no longer served")

    async def stop(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        server.stop()
        await self._registry.end_all(GOING_AWAY, "the servient stops")
        await server.close_all_connections()


def _listen(host: str, port: int) -> list[socket.socket]:
    """A socket for each address that the host has; all have the same port. Raises OSError."""
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            listening = socket.create_server(
                (str(address[0]), port), family=family, backlog=BACKLOG
            )
            listening.setblocking(False)
            sockets.append(listening)
            port = listening.getsockname()[1]
    except OSError:
        for listening in sockets:
            listening.close()
        raise
    return sockets


def _log_request(handler: Any) -> None:
    logger.debug("%s %s", handler.get_status(), handler.request.path)

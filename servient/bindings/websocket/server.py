"""tornado's server with a limit to those who connect and have not shaken hands yet."""

import ipaddress
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream

PENDING_LIMIT = 512
PENDING_OF_ADDRESS_LIMIT = 64


class Server(HTTPServer):
    """Closes at once what is too much, in all or of one address that is not of this machine.

    Who has shaken hands is counted by the registry; who does not do so in time is cut off by tornado.
    """

    def initialize(self, *args: Any, pending_limit: int = PENDING_LIMIT, **options: Any) -> None:
        """tornado's way to construct."""
        super().initialize(*args, **options)
        self._pending: dict[IOStream, str] = {}
        self._pending_limit = pending_limit

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        host = str(address[0])
        if len(self._pending) >= self._pending_limit or self._is_of_too_many(host):
            stream.close()
            return
        self._pending[stream] = host
        super().handle_stream(stream, address)

    def on_close(self, server_conn: Any) -> None:
        """Also called when a connection has become a WebSocket."""
        self._pending.pop(server_conn.stream, None)
        super().on_close(server_conn)

    def _is_of_too_many(self, host: str) -> bool:
        if len(self._pending) < PENDING_OF_ADDRESS_LIMIT:
            return False
        count = sum(1 for each in self._pending.values() if each == host)
        is_own = ipaddress.ip_address(host.partition("%")[0]).is_loopback
        return count >= PENDING_OF_ADDRESS_LIMIT and not is_own

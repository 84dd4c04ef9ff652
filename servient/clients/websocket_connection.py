"""One WebSocket to a Thing that speaks WoTPy's JSON-RPC, shared by everybody who talks to it."""

import asyncio
import contextlib
import itertools
import json
import logging
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import (
    WebSocketClientConnection,
    WebSocketClosedError,
    WebSocketError,
    WebSocketProtocol13,
    websocket_connect,
)
from wotpy.protocols.exceptions import ProtocolClientException

from servient.clients.errors import InteractionRefused
from servient.wot import tracing
from servient.wot.content import to_json

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 20.0
CLOSE_SECONDS = 1.0
PING_SECONDS = 30.0
MESSAGE_LIMIT_BYTES = 64 * 2**20
CLIENT_FAULTS = range(-32602, -32599)  # codes of JSON-RPC that a client is to blame for


class ConnectionLost(ProtocolClientException):
    """There is no connection to the Thing, or not any more."""


@dataclass(frozen=True, slots=True)
class Follower:
    """Who hears of a subscription: items, and the error that it ends with."""

    on_item: Callable[[Any], None]
    on_end: Callable[[Exception], None]


@dataclass(frozen=True, slots=True)
class _Call:
    future: asyncio.Future[Any]
    follower: Follower | None


class Connection:
    """Tells answers apart by the id of their request, and items by that of their subscription."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._socket: WebSocketClientConnection | None = None
        self._ids = itertools.count(1)
        self._calls: dict[int, _Call] = {}
        self._followers: dict[str, Follower] = {}
        self._closed = asyncio.Event()

    @classmethod
    async def open(
        cls,
        url: str,
        headers: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Self:
        """Raises ConnectionLost, or InteractionRefused when the handshake is answered with a problem."""
        connection = cls(url)
        opening = asyncio.ensure_future(
            websocket_connect(
                HTTPRequest(
                    url,
                    headers=dict(headers or {}),
                    connect_timeout=CONNECT_SECONDS,
                    ssl_options=tls,
                ),
                on_message_callback=connection._on_message,
                ping_interval=PING_SECONDS,
                max_message_size=MESSAGE_LIMIT_BYTES,
            )
        )
        try:
            connection._socket = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_late)  # tornado goes on connecting
            raise
        except HTTPClientError as error:
            raise _refused_handshake(url, error) from error
        except (OSError, ValueError, AssertionError, WebSocketError) as error:
            raise ConnectionLost(f"cannot connect to {url}: {error}") from error
        if connection.is_closed:
            connection._socket.close()
        return connection

    @property
    def is_closed(self) -> bool:
        return self._closed.is_set()

    async def call(
        self, method: str, params: dict[str, Any], follower: Follower | None = None
    ) -> Any:
        """The result of a method; of one that subscribes, `follower` hears from its answer on.

        Raises InteractionRefused and ConnectionLost.
        """
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        number = next(self._ids)
        self._calls[number] = _Call(future, follower)
        try:
            await self._post(number, method, params)
            return await future
        except WebSocketClosedError as error:
            raise ConnectionLost(f"the connection to {self.url} is closed") from error
        finally:
            # The answer to a subscription that nobody waits for any more is still wanted: to end it.
            if follower is None:
                self._calls.pop(number, None)

    def dispose(self, subscription: str) -> None:
        """End a subscription, without waiting."""
        self._followers.pop(subscription, None)
        with contextlib.suppress(WebSocketClosedError):
            params = {"subscription": subscription}
            self._post(next(self._ids), "dispose", params).add_done_callback(_forget)

    def _post(self, number: int, method: str, params: dict[str, Any]) -> asyncio.Future[None]:
        if self._socket is None or self.is_closed:
            raise WebSocketClosedError
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        if trace := tracing.TRACEPARENT.get():
            message[tracing.NAME] = trace
        return self._socket.write_message(to_json(message).decode())

    async def close(self) -> None:
        """Returns when the socket is closed; a server that is silent is waited for a second."""
        self._lose(ConnectionLost(f"the connection to {self.url} was closed here"))
        if self._socket is None or self.is_closed:
            return
        protocol = self._socket.protocol
        self._socket.close()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._closed.wait()
        except TimeoutError:
            if isinstance(protocol, WebSocketProtocol13):
                protocol.stream.close()
            await self._closed.wait()

    # What comes in

    def _on_message(self, text: str | bytes | None) -> None:
        if text is None:
            self._on_close()
            return
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            message = None
        match message:
            case {"subscription": str(subscription), "data": data}:
                if follower := self._followers.get(subscription):
                    follower.on_item(data)
            case {"id": int(number), "result": result} if number in self._calls:
                self._succeed(self._calls.pop(number), result)
            case {"id": int(number), "error": error} if number in self._calls:
                self._fail(self._calls.pop(number), _refusal(error))
            case {"error": {"data": {"subscription": str(subscription)}} as error}:
                if follower := self._followers.pop(subscription, None):
                    follower.on_end(_refusal(error))
            case {"id": int()}:
                logger.debug("an answer that nobody waits for any more")
            case _:
                logger.info("%s sends what is not WoTPy's JSON-RPC", self.url)

    def _on_close(self) -> None:
        self._closed.set()
        why = ""
        if self._socket is not None:
            why = f": {self._socket.close_code} {self._socket.close_reason or ''}".rstrip()
            self._socket.close()
        self._lose(ConnectionLost(f"the Thing closed the connection to {self.url}{why}"))

    def _succeed(self, call: _Call, result: Any) -> None:
        if call.follower is not None and isinstance(result, str):
            if call.future.done():
                self.dispose(result)
                return
            self._followers[result] = call.follower
        if not call.future.done():
            call.future.set_result(result)

    def _fail(self, call: _Call, error: Exception) -> None:
        if not call.future.done():
            call.future.set_exception(error)

    def _lose(self, error: Exception) -> None:
        calls, self._calls = self._calls, {}
        followers, self._followers = self._followers, {}
        for call in calls.values():
            self._fail(call, error)
        for follower in followers.values():
            follower.on_end(error)


def _refused_handshake(url: str, error: HTTPClientError) -> Exception:
    try:
        problem = json.loads(error.response.body) if error.response else None
    except ValueError:
        problem = None
    if isinstance(problem, dict) and "status" in problem:
        return InteractionRefused(problem)
    return ConnectionLost(f"{url} does not open a WebSocket: {error}")


def _refusal(error: Any) -> InteractionRefused:
    """The problem in an error; plain WoTPy servers send a code and a sentence only."""
    match error:
        case {"data": {"status": int(), "title": str()} as problem}:
            return InteractionRefused({n: m for n, m in problem.items() if n != "subscription"})
        case {"code": int(code), "message": str(message)}:
            status = 400 if code in CLIENT_FAULTS else 500
        case _:
            status, message = 500, "the Thing refuses without a reason"
    return InteractionRefused(
        {"type": "about:blank", "title": "Refused", "status": status, "detail": message}
    )


def _close_late(opening: asyncio.Future[WebSocketClientConnection]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def _forget(future: asyncio.Future[None]) -> None:
    """Nobody waits for this: an error that it ended with is not news."""
    if not future.cancelled():
        future.exception()

"""WoTPy's WebSocket client, corrected: one connection per target, calls and subscriptions share it."""

import asyncio
import functools
import logging
import ssl
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import reactivex
from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase
from reactivex.disposable import Disposable
from wotpy.protocols.client import BaseProtocolClient
from wotpy.protocols.enums import Protocols
from wotpy.protocols.exceptions import (
    ClientRequestTimeout,
    FormNotFoundException,
    ProtocolClientException,
)
from wotpy.protocols.http.credential import BaseCredential
from wotpy.wot.events import EmittedEvent, PropertyChangeEmittedEvent, PropertyChangeEventInit

from servient.clients.action_status import as_file
from servient.clients.errors import InteractionRefused
from servient.clients.websocket_connection import Connection, Follower

logger = logging.getLogger(__name__)

SCHEMES = ("wss", "ws")
REQUEST_SECONDS = 120.0


class WebSocketClient(BaseProtocolClient):
    """Consumes Things that speak WoTPy's JSON-RPC over WebSockets: ours and those of plain WoTPy.

    Calls raise InteractionRefused, ClientRequestTimeout, FormNotFoundException and ConnectionLost.
    A connection that is lost is replaced at the next call; its subscriptions end with the error.
    """

    def __init__(
        self, request_seconds: float = REQUEST_SECONDS, tls: ssl.SSLContext | None = None
    ) -> None:
        """`request_seconds` limits the calls that name no timeout of their own.

        `tls` says whose certificates are trusted; by default those of public authorities.
        """
        self._request_seconds = request_seconds
        self._tls = tls
        self._connections: dict[str, asyncio.Task[Connection]] = {}
        self._followings: set[asyncio.Task[None]] = set()
        self._credential: Any = None

    def set_security(self, security_scheme_dict: Any, credentials: Any) -> None:
        """What handshakes show from now on, as WoTPy's HTTP client takes it."""
        self._credential = BaseCredential.build(security_scheme_dict, credentials)

    async def _open(self, url: str) -> Connection:
        """WoTPy's credentials add headers to what they know as tornado's requests."""
        headers: dict[str, str] = {}
        if self._credential is not None:
            await self._credential.sign(SimpleNamespace(url=url, headers=headers))
        return await Connection.open(url, headers, self._tls)

    @property
    def protocol(self) -> Any:
        return Protocols.WEBSOCKETS

    def is_supported_interaction(self, td: Any, name: str) -> bool:
        return _find_url(td, td.get_forms(name)) is not None

    # Calls

    async def invoke_action(
        self,
        td: Any,
        name: str,
        input_value: Any,
        timeout: float | None = None,  # noqa: ASYNC109 - WoTPy's interface
    ) -> Any:
        url = _url(td, td.actions, name)
        params = {"name": name, "parameters": input_value}
        output = await self._call(url, "invoke_action", params, timeout)
        return as_file(td._doc["actions"][name].get("output", {}), output)

    async def write_property(
        self,
        td: Any,
        name: str,
        value: Any,
        timeout: float | None = None,  # noqa: ASYNC109 - WoTPy's interface
    ) -> None:
        url = _url(td, td.properties, name)
        await self._call(url, "write_property", {"name": name, "value": value}, timeout)

    async def read_property(
        self,
        td: Any,
        name: str,
        timeout: float | None = None,  # noqa: ASYNC109 - WoTPy's interface
    ) -> Any:
        url = _url(td, td.properties, name)
        value = await self._call(url, "read_property", {"name": name}, timeout)
        return as_file(td._doc["properties"][name], value)

    async def _call(
        self, url: str, method: str, params: dict[str, Any], seconds: float | None
    ) -> Any:
        try:
            async with asyncio.timeout(self._request_seconds if seconds is None else seconds):
                connection = await self._connection(url)
                return await connection.call(method, params)
        except TimeoutError as error:
            raise ClientRequestTimeout from error

    # Subscriptions

    def on_event(self, td: Any, name: str) -> reactivex.Observable[Any]:
        def to_event(data: Any) -> Any:
            schema = td._doc["events"][name].get("data", {})
            return EmittedEvent(init=as_file(schema, data), name=name)

        return self._observable(td, "events", name, "on_event", to_event)

    def on_property_change(self, td: Any, name: str) -> reactivex.Observable[Any]:
        def to_event(data: Any) -> Any:
            value = as_file(td._doc["properties"][name], data["value"])
            init = PropertyChangeEventInit(name=data["name"], value=value)
            return PropertyChangeEmittedEvent(init=init)

        return self._observable(td, "properties", name, "on_property_change", to_event)

    def on_td_change(self, url: str) -> reactivex.Observable[Any]:
        """Changes of the description of the Thing at a WebSocket URL, as WoTPy's servers tell them."""

        def to_event(data: Any) -> Any:
            return EmittedEvent(init=data, name="descriptionchange")

        return self._observe(url, "on_td_change", {}, to_event)

    def _observable(
        self, td: Any, kind: str, name: str, method: str, to_event: Callable[[Any], Any]
    ) -> reactivex.Observable[Any]:
        try:
            url = _url(td, getattr(td, kind), name)
        except FormNotFoundException as error:
            return reactivex.throw(error)
        return self._observe(url, method, {"name": name}, to_event)

    def _observe(
        self, url: str, method: str, params: dict[str, Any], to_event: Callable[[Any], Any]
    ) -> reactivex.Observable[Any]:
        def subscribe(
            observer: ObserverBase[Any], scheduler: SchedulerBase | None = None
        ) -> DisposableBase:
            work = self._follow(url, method, params, to_event, observer)
            task = asyncio.get_running_loop().create_task(work, name=f"{method} at {url}")
            self._followings.add(task)
            task.add_done_callback(self._followings.discard)
            return Disposable(functools.partial(_cancel, task))

        return reactivex.create(subscribe)

    async def _follow(
        self,
        url: str,
        method: str,
        params: dict[str, Any],
        to_event: Callable[[Any], Any],
        observer: ObserverBase[Any],
    ) -> None:
        """Hold a subscription until it ends, or until nobody wants it: then this is cancelled."""
        ended: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

        def on_item(data: Any) -> None:
            try:
                observer.on_next(to_event(data))
            except Exception as error:  # an observer's fault ends its own subscription only
                logger.exception("an observer of %s failed", url)
                on_end(error)

        def on_end(error: Exception) -> None:
            if not ended.done():
                ended.set_result(error)

        try:
            connection = await self._connection(url)
            subscription = await connection.call(method, params, Follower(on_item, on_end))
        except (InteractionRefused, ProtocolClientException) as error:
            observer.on_error(error)
            return
        try:
            observer.on_error(await ended)
        finally:
            connection.dispose(subscription)

    # Connections

    async def _connection(self, url: str) -> Connection:
        task = self._connections.get(url)
        if task is None or _is_spent(task):
            task = asyncio.create_task(self._open(url), name=f"connection to {url}")
            self._connections[url] = task
        return await asyncio.shield(task)

    async def close(self) -> None:
        """End every subscription and close every connection; the client can be used again."""
        connections, self._connections = self._connections, {}
        followings = tuple(self._followings)
        for task in followings:
            task.cancel()
        await asyncio.gather(*followings, return_exceptions=True)
        await asyncio.gather(*(_close(task) for task in connections.values()))


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()


def _is_spent(task: asyncio.Task[Connection]) -> bool:
    if not task.done():
        return False
    return task.cancelled() or task.exception() is not None or task.result().is_closed


async def _close(task: asyncio.Task[Connection]) -> None:
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled() and task.exception() is None:
        await task.result().close()


def _url(td: Any, affordances: Any, name: str) -> str:
    """Raises FormNotFoundException."""
    url = _find_url(td, affordances[name].forms) if name in affordances else None
    if url is None:
        raise FormNotFoundException
    return url


def _find_url(td: Any, forms: Any) -> str | None:
    """The best form's URL; one that names a subprotocol wants messages that are not spoken here."""
    urls = [form.resolve_uri(td.base) or "" for form in forms if not form.subprotocol]
    found = (url for scheme in SCHEMES for url in urls if url.startswith(f"{scheme}:"))
    return next(found, None)

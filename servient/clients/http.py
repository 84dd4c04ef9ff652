"""WoTPy's HTTP client with right results: for programs that consume Things."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
from wotpy.protocols.exceptions import ClientRequestTimeout, FormNotFoundException
from wotpy.protocols.http.client import HTTPClient as WotpyHttpClient
from wotpy.wot.events import EmittedEvent, PropertyChangeEmittedEvent, PropertyChangeEventInit

from servient.clients.action_status import as_file, is_status, output_of
from servient.clients.errors import InteractionRefused
from servient.clients.event_source import read_events
from servient.clients.http_form import (
    SSE,
    HttpForm,
    find_forms,
    for_json,
    for_media_type,
    for_subscription,
)
from servient.clients.http_response import accepted, to_value
from servient.clients.observable import to_observable
from servient.wot import tracing
from servient.wot.content import Content, Value, encode, is_json, parse_json, to_json
from servient.wot.operations import AffordanceKind, Operation

CONNECTIONS_LIMIT = 1000  # each open stream holds one
IDLE_CONNECTIONS_LIMIT = 20
# Between two polls when a server answers "nothing yet" at once.
PAUSE_SECONDS = 0.5


class HttpClient(WotpyHttpClient):
    """Reads, writes, invokes, observes and subscribes over HTTP, on kept connections.

    Results are what the Thing sent: any JSON value, `Content` for other media types, None for no
    value. Raises InteractionRefused with the Problem Details of a refusal, ClientRequestTimeout, and
    httpx.TransportError when the Thing cannot be reached.
    """

    def __init__(
        self,
        connect_timeout: float = WotpyHttpClient.DEFAULT_CON_TIMEOUT,
        request_timeout: float = WotpyHttpClient.DEFAULT_REQ_TIMEOUT,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`tls` says whose certificates are trusted; by default those of public authorities."""
        super().__init__(connect_timeout, request_timeout)
        self._tls = tls
        self._http: httpx.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """End every subscription and close the connections."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http is not None:
            http, self._http = self._http, None
            await http.aclose()

    # Interactions, as WoTPy's ConsumedThing asks for them

    async def read_property(
        self,
        td: Any,
        name: str,
        timeout: float | None = None,  # noqa: ASYNC109 - WoTPy's interface
    ) -> Value:
        forms = _forms(td, AffordanceKind.PROPERTY, name, Operation.READ_PROPERTY)
        return to_value(await self._request(forms[0], timeout_seconds=timeout))

    async def write_property(
        self,
        td: Any,
        name: str,
        value: Value,
        timeout: float | None = None,  # noqa: ASYNC109 - WoTPy's interface
    ) -> None:
        forms = _forms(td, AffordanceKind.PROPERTY, name, Operation.WRITE_PROPERTY)
        form, content = _encode(forms, value, is_optional=False)
        await self._request(form, content, timeout_seconds=timeout)

    async def invoke_action(
        self,
        td: Any,
        name: str,
        input_value: Value = None,
        timeout: float | None = None,  # noqa: ASYNC109 - WoTPy's interface
    ) -> Value:
        forms = _forms(td, AffordanceKind.ACTION, name, Operation.INVOKE_ACTION)
        form, content = _encode(forms, input_value, is_optional=True)
        response = await self._request(form, content, timeout_seconds=timeout)
        value, location = to_value(response), response.headers.get("location")
        if response.status_code != httpx.codes.CREATED or not location or not is_status(value):
            return value
        output = await self._finished(form, value, urljoin(form.url, location), timeout)
        return as_file(td._doc["actions"][name].get("output", {}), output)

    async def _finished(
        self, form: HttpForm, status: Value, url: str, timeout_seconds: float | None
    ) -> Value:
        """Wait for an action that is done in its own time. Raises ClientRequestTimeout."""
        if urlsplit(url)[:2] != urlsplit(form.url)[:2]:  # our credentials are nobody else's
            raise InteractionRefused({"title": "Elsewhere", "detail": f"its status is at {url}"})
        own = replace(form, url=url, method="GET")

        async def query() -> Value:
            return to_value(await self._request(own, timeout_seconds=timeout_seconds))

        try:
            async with asyncio.timeout(timeout_seconds or self.request_timeout):
                return await output_of(status, query)
        except TimeoutError as error:
            raise ClientRequestTimeout(f"{url} did not end in time") from error

    def on_property_change(self, td: Any, name: str) -> Any:
        forms = _forms(td, AffordanceKind.PROPERTY, name, Operation.OBSERVE_PROPERTY)
        schema = td._doc["properties"][name]

        def emitted(value: Value) -> Any:
            return PropertyChangeEmittedEvent(PropertyChangeEventInit(name=name, value=value))

        return self._observable(forms, schema, emitted)

    def on_event(self, td: Any, name: str) -> Any:
        forms = _forms(td, AffordanceKind.EVENT, name, Operation.SUBSCRIBE_EVENT)
        schema = td._doc["events"][name].get("data", {})
        return self._observable(forms, schema, lambda value: EmittedEvent(init=value, name=name))

    # Requests

    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            limits = httpx.Limits(
                max_connections=CONNECTIONS_LIMIT, max_keepalive_connections=IDLE_CONNECTIONS_LIMIT
            )
            # Things are on the local network: like WoTPy's, this client asks no proxy.
            self._http = httpx.AsyncClient(limits=limits, trust_env=False, verify=self._tls or True)
        return self._http

    async def _request(
        self,
        form: HttpForm,
        content: Content | None = None,
        *,
        timeout_seconds: float | None = None,
    ) -> httpx.Response:
        limit = timeout_seconds or self.request_timeout
        headers = await self._signed(form.url)
        if content is not None:
            headers["content-type"] = content.media_type
        try:
            async with asyncio.timeout(limit):
                response = await self._client().request(
                    form.method,
                    form.url,
                    content=content.body if content else None,
                    headers=headers,
                    timeout=httpx.Timeout(limit, connect=timeout_seconds or self.connect_timeout),
                )
        except (TimeoutError, httpx.TimeoutException) as error:
            raise ClientRequestTimeout(f"{form.url} did not answer in time") from error
        return accepted(response)

    async def _signed(self, url: str) -> dict[str, str]:
        """The headers that WoTPy's credentials add to a request, which they know as tornado's."""
        request = await self.sign_request(SimpleNamespace(url=url, headers={}))
        headers: dict[str, str] = request.headers
        if trace := tracing.TRACEPARENT.get():
            headers[tracing.NAME] = trace
        return headers

    # Subscriptions

    def _observable(
        self, forms: list[HttpForm], schema: Mapping[str, Any], emitted: Callable[[Value], Any]
    ) -> Any:
        form = for_subscription(forms)
        if form is None:
            raise FormNotFoundException

        return to_observable(
            lambda observer: self._deliver(form, schema, emitted, observer),
            self._tasks,
            f"subscription to {form.url}",
        )

    async def _deliver(
        self,
        form: HttpForm,
        schema: Mapping[str, Any],
        emitted: Callable[[Value], Any],
        observer: Any,
    ) -> None:
        values = self._stream(form) if form.subprotocol == SSE else self._poll(form)
        try:
            async with aclosing(values):
                async for value in values:
                    observer.on_next(emitted(as_file(schema, value)))
        except Exception as error:  # noqa: BLE001 - whatever ends it is the observer's to know
            observer.on_error(error)
        else:
            observer.on_completed()

    async def _stream(self, form: HttpForm) -> AsyncGenerator[Value, None]:
        headers = {**await self._signed(form.url), "accept": "text/event-stream"}
        timeout = httpx.Timeout(None, connect=self.connect_timeout)
        async with self._client().stream(
            form.method, form.url, headers=headers, timeout=timeout
        ) as response:
            if response.is_error:
                await response.aread()
            accepted(response)
            async for data in read_events(response.aiter_bytes()):
                yield parse_json(data)

    async def _poll(self, form: HttpForm) -> AsyncGenerator[Value, None]:
        timeout = httpx.Timeout(None, connect=self.connect_timeout)
        while True:
            headers = await self._signed(form.url)
            response = await self._client().request(
                form.method, form.url, headers=headers, timeout=timeout
            )
            if accepted(response).status_code == httpx.codes.NO_CONTENT:
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                yield to_value(response)


def _forms(td: Any, kind: AffordanceKind, name: str, operation: Operation) -> list[HttpForm]:
    """Raises FormNotFoundException."""
    # The document as it came: WoTPy's classes drop members that they do not know, such as methods.
    forms = find_forms(td._doc, kind, name, operation)
    if not forms:
        raise FormNotFoundException(f"no HTTP form to {operation} {name!r}")
    return forms


def _encode(
    forms: list[HttpForm], value: Value, *, is_optional: bool
) -> tuple[HttpForm, Content | None]:
    """The form that takes a value, and its body: a file as it is where possible, else as JSON."""
    if isinstance(value, Content) and (form := for_media_type(forms, value.media_type)):
        return form, value
    form = for_json(forms) or forms[0]
    if value is None and is_optional:
        return form, None
    return form, Content(to_json(value)) if is_json(form.media_type) else encode(value)

"""WoTPy's CoAP client with right results: for programs that consume Things."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, Self
from urllib.parse import quote, urljoin

import aiocoap
from aiocoap.numbers.codes import CREATED, GET, POST, PUT
from aiocoap.numbers.contentformat import ContentFormat
from aiocoap.numbers.optionnumbers import OptionNumber
from aiocoap.numbers.types import NON
from aiocoap.optiontypes import OpaqueOption
from aiocoap.transports.simple6 import _DatagramClientSocketpoolSimple6
from wotpy.protocols.coap.client import CoAPClient as WotpyCoapClient
from wotpy.protocols.exceptions import ClientRequestTimeout, ProtocolClientException
from wotpy.wot.events import EmittedEvent, PropertyChangeEmittedEvent, PropertyChangeEventInit

from servient.clients.action_status import as_file, is_status, output_of
from servient.clients.coap_form import CoapForm, find_forms
from servient.clients.errors import InteractionRefused
from servient.clients.observable import to_observable
from servient.errors import InvalidInput
from servient.wot import tracing
from servient.wot.content import (
    JSON_MEDIA_TYPE,
    OCTET_STREAM,
    Content,
    Value,
    encode,
    is_json,
    parse_json,
)
from servient.wot.operations import AffordanceKind, Operation

SOCKETS_LIMIT = 1024
_TRACE_CONTEXT = OptionNumber(tracing.COAP_OPTION)
_DEREGISTER = 1  # a value of the option Observe (RFC 7641 section 2)


class _Sockets(_DatagramClientSocketpoolSimple6):
    """aiocoap's sockets, one per Thing's address; it would open more when asked at the same time."""

    max_sockets = SOCKETS_LIMIT  # beyond it, the one that was unused for longest is closed

    def __init__(self, loop: asyncio.AbstractEventLoop, datagrams: Any) -> None:
        super().__init__(loop, datagrams)
        self._connecting = asyncio.Lock()

    async def connect(self, sockaddr: tuple[str, int]) -> Any:
        async with self._connecting:
            return await super().connect(sockaddr)


class CoapClient(WotpyCoapClient):
    """Reads, writes, invokes, observes and subscribes over CoAP, with one context kept.

    Results are what the Thing sent: any JSON value, `Content` for other media types, None for no
    value. Raises InteractionRefused with the Problem Details of a refusal, ClientRequestTimeout, and
    ProtocolClientException when the Thing cannot be reached or answers nonsense.
    """

    def __init__(self) -> None:
        super().__init__()
        self._context: aiocoap.Context | None = None
        self._opening = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """End every subscription and close the sockets; the client can be used again."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        context, self._context = self._context, None
        if context is not None:
            await context.shutdown()

    # Interactions, as WoTPy's ConsumedThing asks for them

    async def read_property(
        self,
        td: Any,
        name: str,
        timeout: float | None = None,  # noqa: ASYNC109 - WoTPy's interface
    ) -> Value:
        forms = find_forms(td._doc, AffordanceKind.PROPERTY, name, Operation.READ_PROPERTY)
        return await self._ask(aiocoap.Message(code=GET, uri=forms[0].url), timeout)

    async def write_property(
        self,
        td: Any,
        name: str,
        value: Value,
        timeout: float | None = None,  # noqa: ASYNC109 - WoTPy's interface
    ) -> None:
        forms = find_forms(td._doc, AffordanceKind.PROPERTY, name, Operation.WRITE_PROPERTY)
        await self._ask(_message(PUT, forms, encode(value)), timeout)

    async def invoke_action(
        self,
        td: Any,
        name: str,
        input_value: Value = None,
        timeout: float | None = None,  # noqa: ASYNC109 - WoTPy's interface
    ) -> Value:
        forms = find_forms(td._doc, AffordanceKind.ACTION, name, Operation.INVOKE_ACTION)
        content = None if input_value is None else encode(input_value)
        message = _message(POST, forms, content)
        response = await self._exchange(message, timeout)
        value = _to_value(response)
        if response.code is not CREATED or not is_status(value):
            return value
        path = "/".join(quote(segment, safe="") for segment in response.opt.location_path)
        output = await self._finished(value, urljoin(forms[0].url, f"/{path}"), timeout)
        return as_file(td._doc["actions"][name].get("output", {}), output)

    async def _finished(self, status: Value, url: str, timeout_seconds: float | None) -> Value:
        """Wait for an action that is done in its own time. Raises ClientRequestTimeout."""

        async def query() -> Value:
            return await self._ask(aiocoap.Message(code=GET, uri=url), timeout_seconds)

        try:
            async with asyncio.timeout(timeout_seconds):
                return await output_of(status, query)
        except TimeoutError as error:
            raise ClientRequestTimeout(f"{url} did not end in time") from error

    def on_property_change(self, td: Any, name: str) -> Any:
        forms = find_forms(td._doc, AffordanceKind.PROPERTY, name, Operation.OBSERVE_PROPERTY)

        def emitted(value: Value) -> Any:
            return PropertyChangeEmittedEvent(PropertyChangeEventInit(name=name, value=value))

        return self._observable(forms[0].url, emitted)

    def on_event(self, td: Any, name: str) -> Any:
        forms = find_forms(td._doc, AffordanceKind.EVENT, name, Operation.SUBSCRIBE_EVENT)

        def emitted(value: Value) -> Any:
            return EmittedEvent(init=_without_envelope(value, name), name=name)

        return self._observable(forms[0].url, emitted)

    # Requests

    async def _open(self) -> aiocoap.Context:
        async with self._opening:
            if self._context is None:
                # aiocoap's usual transport, udp6, never hears again on uvloop after an ICMP error.
                context = await aiocoap.Context.create_client_context(transports=["simple6"])
                (requests,) = context.request_interfaces
                datagrams = requests.token_interface.message_interface
                datagrams._pool = _Sockets(asyncio.get_running_loop(), datagrams)
                self._context = context
            return self._context

    async def _ask(self, message: aiocoap.Message, timeout_seconds: float | None) -> Value:
        return _to_value(await self._exchange(message, timeout_seconds))

    async def _exchange(
        self, message: aiocoap.Message, timeout_seconds: float | None
    ) -> aiocoap.Message:
        context = await self._open()
        if trace := tracing.TRACEPARENT.get():
            message.opt.add_option(OpaqueOption(_TRACE_CONTEXT, tracing.to_bytes(trace)))
        try:
            async with asyncio.timeout(timeout_seconds):
                response: aiocoap.Message = await context.request(
                    await self.sign_request(message)
                ).response
        except (TimeoutError, aiocoap.error.TimeoutError) as error:
            raise ClientRequestTimeout(f"{message.remote} did not answer in time") from error
        except aiocoap.error.Error as error:
            raise ProtocolClientException(f"no answer from {message.remote}: {error}") from error
        return response

    # Subscriptions

    def _observable(self, url: str, emitted: Callable[[Value], Any]) -> Any:
        return to_observable(
            lambda observer: self._deliver(url, emitted, observer),
            self._tasks,
            f"observation of {url}",
        )

    async def _deliver(self, url: str, emitted: Callable[[Value], Any], observer: Any) -> None:
        try:
            async with aclosing(self._observe(url)) as values:
                async for value in values:
                    observer.on_next(emitted(value))
        except Exception as error:  # noqa: BLE001 - whatever ends it is the observer's to know
            observer.on_error(error)
        else:
            observer.on_completed()

    async def _observe(self, url: str) -> AsyncGenerator[Value, None]:
        """Values, the present one first if there is one. Raises as `read_property` does."""
        context = await self._open()
        message = await self.sign_request(aiocoap.Message(code=GET, uri=url, observe=0))
        request = context.request(message)
        responses = _Responses(request.observation)  # from here on, none is missed
        try:
            response = await request.response
            if response.payload or not response.code.is_successful():
                yield _to_value(response)
            if response.opt.observe is None:
                raise ProtocolClientException(f"{url} cannot be observed")
            async for response in responses:
                if response.payload or not response.code.is_successful():
                    yield _to_value(response)
        except aiocoap.error.Error as error:
            raise ProtocolClientException(f"the observation of {url} broke off: {error}") from error
        finally:
            await _deregister(context, request, message)


class _Responses:
    """aiocoap's iterator over notifications, made once; it lacks `__aiter__`."""

    def __init__(self, observation: Any) -> None:
        self._responses = aiter(observation)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> aiocoap.Message:
        return await anext(self._responses)


async def _deregister(context: aiocoap.Context, request: Any, message: aiocoap.Message) -> None:
    """Say that no more is wanted (RFC 7641 section 3.6); aiocoap would let the next one bounce."""
    request.response.cancel()
    if request.observation.cancelled or not message.token:
        return  # the server has ended it, or nothing was sent yet
    request.observation.cancel()
    goodbye = message.copy(observe=_DEREGISTER, mid=None)
    goodbye.mtype = NON  # a confirmable one may have to wait; if this is lost, the next one bounces
    interface = await context.find_remote_and_interface(goodbye)
    interface.token_interface.send_message(goodbye, lambda: None)


def _message(code: Any, forms: list[CoapForm], content: Content | None) -> aiocoap.Message:
    """A request to the form that takes such content, else to the first."""
    if content is None:
        return aiocoap.Message(code=code, uri=forms[0].url)
    form = next((form for form in forms if form.takes(content.media_type)), forms[0])
    number = _content_format(content.media_type)
    return aiocoap.Message(code=code, uri=form.url, payload=content.body, content_format=number)


def _content_format(media_type: str) -> Any:
    try:
        return ContentFormat.by_media_type(media_type)
    except KeyError:
        return ContentFormat.JSON if is_json(media_type) else ContentFormat.OCTETSTREAM


def _to_value(response: aiocoap.Message) -> Value:
    """Raises InteractionRefused, or ProtocolClientException when the payload is malformed."""
    known = response.opt.content_format
    media_type = JSON_MEDIA_TYPE
    if known is not None:
        media_type = known.media_type if known.is_known() else OCTET_STREAM
    if not response.code.is_successful():
        raise InteractionRefused(_problem(response))
    if not response.payload:
        return None
    if not is_json(media_type):
        return Content(response.payload, media_type)
    try:
        return parse_json(response.payload)
    except InvalidInput as error:
        raise ProtocolClientException(f"the answer is malformed: {error.detail}") from error


def _problem(response: aiocoap.Message) -> dict[str, Any]:
    """What a server says of a refusal; plain ones say it in words, or by the code alone."""
    try:
        problem = parse_json(response.payload)
    except InvalidInput:
        problem = response.payload.decode(errors="replace")
    if isinstance(problem, dict) and "status" in problem:
        return problem
    # 4.04 means what 404 does.
    status = response.code.class_ * 100 + response.code % 32
    title = response.code.name_printable if hasattr(response.code, "name") else "Refused"
    return {"type": "about:blank", "title": title, "status": status, "detail": str(problem)}


def _without_envelope(value: Value, name: str) -> Value:
    """Plain WoTPy servers wrap an event's data."""
    if isinstance(value, dict) and value.keys() == {"name", "data", "time"}:
        return value["data"] if value["name"] == name else value
    return value

"""A Thing used over one of its wires, by the project's own WoTPy clients."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
from wotpy.protocols.exceptions import (
    ClientRequestTimeout,
    FormNotFoundException,
    ProtocolClientException,
)
from wotpy.wot.validation import InvalidDescription

from servient.cli.access import Access
from servient.cli.found_thing import FoundThing, forms_in, forms_of
from servient.cli.options import Protocol
from servient.cli.output import CommandFailed, ExitCode
from servient.cli.refusals import refusal, unreachable
from servient.cli.wires import build_client, spoken
from servient.clients.errors import InteractionRefused
from servient.errors import ServientError
from servient.wot.consumed_description import ConsumedDescription
from servient.wot.content import Value

T = TypeVar("T")

# Of an observation; who prints more slowly than values come loses the oldest.
WAITING_LIMIT = 1024


class Consumer:
    """Without a `protocol`, the first is used that an affordance is offered on.

    Raises CommandFailed for everything that goes wrong.
    """

    def __init__(self, thing: FoundThing, access: Access, protocol: Protocol | None) -> None:
        self._thing = thing
        self._access = access
        self._protocol = protocol
        try:
            self._td = ConsumedDescription(thing.td)
        except (InvalidDescription, ServientError, ValueError, LookupError, TypeError) as error:
            raise CommandFailed(
                f"the description of {thing.label} cannot be used: {_said(error)}"
            ) from error

    async def invoke(self, name: str, value: Value) -> Value:
        return await self._do("actions", name, lambda c: c.invoke_action(self._td, name, value))

    async def read(self, name: str) -> Value:
        return await self._do("properties", name, lambda c: c.read_property(self._td, name))

    async def write(self, name: str, value: Value) -> None:
        await self._do("properties", name, lambda c: c.write_property(self._td, name, value))

    async def follow(self, kind: str, name: str) -> AsyncIterator[Value]:
        """Values of a property or data of an event, as they come, until the Thing ends it."""
        waiting: asyncio.Queue[Value | BaseException] = asyncio.Queue(WAITING_LIMIT)

        def put(item: Any) -> None:
            if waiting.full():
                waiting.get_nowait()
            waiting.put_nowait(item)

        async with self._client(kind, name) as client:
            try:
                begin = client.on_event if kind == "events" else client.on_property_change
                items = begin(self._td, name)
            except Exception as error:
                raise self._failed(error) from error
            subscription = items.subscribe(
                on_next=lambda item: put(_Item(_data(kind, item))),
                on_error=put,
                on_completed=lambda: put(None),
            )
            try:
                while isinstance(item := await waiting.get(), _Item):
                    yield item.value
            finally:
                subscription.dispose()
        if isinstance(item, Exception):
            raise self._failed(item) from item

    async def _do(self, kind: str, name: str, work: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        async with self._client(kind, name) as client:
            try:
                async with asyncio.timeout(self._access.seconds):
                    return await work(client)
            except Exception as error:
                raise self._failed(error) from error

    def _failed(self, error: Exception) -> CommandFailed:
        """What one of the clients raises, in a sentence."""
        label = self._thing.label
        match error:
            case CommandFailed():
                return error
            case InteractionRefused():
                return refusal(error.status, error.problem)
            case TimeoutError() | ClientRequestTimeout():
                seconds = self._access.seconds
                return CommandFailed(
                    f"{label} did not answer within {seconds:g} s: --timeout gives it longer",
                    ExitCode.UNREACHABLE,
                )
            case FormNotFoundException():
                return self._no_form()
            case httpx.TransportError() | ProtocolClientException() | OSError():
                return unreachable(label, _said(error), error)
            case ServientError():
                return CommandFailed(f"{label} gives no proper answer: {error.detail}")
        return CommandFailed(f"{label} cannot be used: {_said(error)}")

    # Wires

    @asynccontextmanager
    async def _client(self, kind: str, name: str) -> AsyncIterator[Any]:
        offered = spoken(self._thing.td, forms_in(self._thing.affordance(kind, name)))
        if not offered:
            raise self._no_form()
        client = build_client(self._protocol or offered[0], self._thing, self._access)
        try:
            yield client
        finally:
            await client.close()

    def _no_form(self) -> CommandFailed:
        wires = ", ".join(spoken(self._thing.td, forms_of(self._thing.td)))
        wanted = f" over {self._protocol}" if self._protocol else ""
        return CommandFailed(
            f"{self._thing.label} does not offer this{wanted}; it speaks"
            f" {wires or 'nothing that is known here'}",
            ExitCode.USAGE,
        )


class _Item:
    """A value that came, which may be any."""

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        self.value = value


def _data(kind: str, item: Any) -> Value:
    return item.data if kind == "events" else item.data.value


def _said(error: Exception) -> str:
    """The first line: libraries add whole schemas."""
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


async def read_url(url: str, access: Access) -> Value:
    """What is at a CoAP URL."""
    form = {"href": url, "op": "readproperty"}
    document = {
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "id": "urn:wasm-servient:asked",
        "title": url,
        "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
        "security": "nosec_sc",
        "properties": {"it": {"type": "object", "forms": [form]}},
    }
    thing = FoundThing(document, is_own=False)
    return await Consumer(thing, access, Protocol.COAP).read("it")

"""A consumer over CoAP, on aiocoap's client."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiocoap

from tests.consumers.consumer import Refused

JSON = 50
_END = object()


class CoapConsumer:
    """Takes from the TD the forms with the scheme coap. A file is bytes."""

    def __init__(self, td: dict[str, Any]) -> None:
        self._td = td
        self._context: aiocoap.Context | None = None

    async def read(self, name: str) -> Any:
        return await self._ask(self._form("properties", name, "readproperty"))

    async def write(self, name: str, value: Any) -> None:
        await self._ask(self._form("properties", name, "writeproperty"), json.dumps(value).encode())

    async def invoke(self, name: str, value: Any = None) -> Any:
        body = b"" if value is None else json.dumps(value).encode()
        return await self._ask(self._form("actions", name, "invokeaction"), body)

    def observe(self, name: str) -> Any:
        return self._follow(self._form("properties", name, "observeproperty"))

    def subscribe(self, name: str) -> Any:
        return self._follow(self._form("events", name, "subscribeevent"))

    async def close(self) -> None:
        if self._context is not None:
            await self._context.shutdown()

    def _form(self, kind: str, name: str, op: str) -> dict[str, Any]:
        affordances = self._td[kind]
        named = [affordances[name]] if name in affordances else []
        for affordance in [*named, *affordances.values()]:
            for form in affordance["forms"]:
                if form["href"].startswith("coap:") and op in form["op"]:
                    path = form["href"].rpartition("/")[0]
                    return {**form, "href": f"{path}/{name}"}
        raise LookupError(f"no form to {op} {name}")

    async def context(self) -> aiocoap.Context:
        if self._context is None:
            self._context = await aiocoap.Context.create_client_context(transports=["udp6"])
        return self._context

    async def _ask(self, form: dict[str, Any], body: bytes = b"") -> Any:
        message = aiocoap.Message(
            code=aiocoap.Code[form["cov:method"]], uri=form["href"], payload=body
        )
        if body:
            message.opt.content_format = JSON
        return to_value(await (await self.context()).request(message).response)

    @asynccontextmanager
    async def _follow(self, form: dict[str, Any]) -> AsyncIterator[AsyncIterator[Any]]:
        assert form["subprotocol"] == "cov:observe"
        message = aiocoap.Message(code=aiocoap.GET, uri=form["href"], observe=0)
        request = (await self.context()).request(message)
        values: asyncio.Queue[Any] = asyncio.Queue()
        # aiocoap keeps only the last notification for who is not waiting for it.
        collecting = asyncio.create_task(_collect(request.observation, values))
        try:
            to_value(await request.response)
            yield _drain(values)
        finally:
            collecting.cancel()
            with suppress(asyncio.CancelledError):
                await collecting
            if not request.observation.cancelled:
                request.observation.cancel()


async def _collect(responses: Any, values: asyncio.Queue[Any]) -> None:
    async for response in responses:
        if not response.code.is_successful():
            break
        values.put_nowait(to_value(response))
    values.put_nowait(_END)


async def _drain(values: asyncio.Queue[Any]) -> AsyncIterator[Any]:
    while (value := await values.get()) is not _END:
        yield value


def to_value(response: Any) -> Any:
    """Raises Refused."""
    if not response.code.is_successful():
        assert response.opt.content_format == JSON
        raise Refused(json.loads(response.payload))
    if not response.payload:
        return None
    if response.opt.content_format == JSON:
        return json.loads(response.payload)
    return response.payload

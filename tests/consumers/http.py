"""A consumer over HTTP, on httpx."""

import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx

from tests.consumers.consumer import Refused

DEADLINE_SECONDS = 30.0


class HttpConsumer:
    """`subprotocol` is how it observes and subscribes: "sse" or "longpoll"."""

    def __init__(self, td: dict[str, Any], subprotocol: str = "sse") -> None:
        self._td = td
        self._subprotocol = subprotocol
        self._client = httpx.AsyncClient(timeout=DEADLINE_SECONDS, trust_env=False)

    async def close(self) -> None:
        await self._client.aclose()

    async def read(self, name: str) -> Any:
        form = self._form("properties", name, "readproperty")
        return _value(await self._send(form))

    async def write(self, name: str, value: Any) -> None:
        form = self._form("properties", name, "writeproperty")
        await self._send(form, content=json.dumps(value), media_type="application/json")

    async def invoke(self, name: str, value: Any = None) -> Any:
        if isinstance(value, bytes):
            form = self._form("actions", name, "invokeaction", is_raw=True)
            response = await self._send(form, content=value, media_type=form["contentType"])
        else:
            form = self._form("actions", name, "invokeaction")
            body = None if value is None else json.dumps(value)
            response = await self._send(form, content=body, media_type="application/json")
        return _value(response)

    @asynccontextmanager
    async def observe(self, name: str) -> AsyncIterator[AsyncIterator[Any]]:
        form = self._form("properties", name, "observeproperty")
        schema = self._td["properties"].get(name, {})
        async with self._listen(form, schema) as values:
            yield values

    @asynccontextmanager
    async def subscribe(self, name: str) -> AsyncIterator[AsyncIterator[Any]]:
        form = self._form("events", name, "subscribeevent")
        schema = self._td["events"].get(name, {}).get("data", {})
        async with self._listen(form, schema) as values:
            yield values

    @asynccontextmanager
    async def _listen(
        self, form: dict[str, Any], schema: dict[str, Any]
    ) -> AsyncIterator[AsyncIterator[Any]]:
        if self._subprotocol == "longpoll":
            _accept(await self._client.head(form["href"]))
            async with aclosing(self._poll(form)) as values:
                yield values
            return
        headers = {"Accept": "text/event-stream"}
        async with self._client.stream("GET", form["href"], headers=headers) as response:
            if response.is_error:
                await response.aread()
            _accept(response)
            assert response.headers["content-type"] == "text/event-stream"
            async with aclosing(_events(response, schema)) as values:
                yield values

    async def _poll(self, form: dict[str, Any]) -> AsyncGenerator[Any, None]:
        while True:
            response = await self._client.get(form["href"])
            if response.status_code in (404, 503):
                return
            yield _value(_accept(response))

    async def _send(
        self,
        form: dict[str, Any],
        content: bytes | str | None = None,
        media_type: str = "application/json",
    ) -> httpx.Response:
        headers = {} if content is None else {"Content-Type": media_type}
        method = form["htv:methodName"]
        return _accept(
            await self._client.request(method, form["href"], content=content, headers=headers)
        )

    def _form(self, kind: str, name: str, op: str, is_raw: bool = False) -> dict[str, Any]:
        """A form of the affordance; if it has none, another's with the name replaced."""
        affordances = self._td[kind]
        for known in sorted(affordances, key=lambda other: other != name):
            for form in affordances[known]["forms"]:
                if self._fits(form, op, is_raw):
                    href = form["href"].replace(f"/{quote(known)}", f"/{quote(name, safe='')}")
                    return {**form, "href": href}
        raise LookupError(f"no form to {op} {name}")

    def _fits(self, form: dict[str, Any], op: str, is_raw: bool) -> bool:
        operations = [form["op"]] if isinstance(form["op"], str) else form["op"]
        is_json = form["contentType"] == "application/json"
        wanted = self._subprotocol if op in ("observeproperty", "subscribeevent") else None
        return (
            form["href"].startswith("http://")
            and op in operations
            and form.get("subprotocol") == wanted
            and (op != "invokeaction" or is_raw != is_json)
        )


async def _events(response: httpx.Response, schema: dict[str, Any]) -> AsyncGenerator[Any, None]:
    async for line in response.aiter_lines():
        if line.startswith("data: "):
            value = json.loads(line.removeprefix("data: "))
            is_file = schema.get("contentEncoding") == "base64"
            yield base64.b64decode(value) if is_file else value


def _value(response: httpx.Response) -> Any:
    if response.status_code == httpx.codes.NO_CONTENT:
        return None
    if response.headers["content-type"] == "application/json":
        return response.json()
    return response.content


def _accept(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    if response.headers.get("content-type") == "application/problem+json" and response.content:
        raise Refused(response.json())
    raise Refused({"status": response.status_code, "title": response.reason_phrase})

"""A consumer as the profiles want it: it finds forms as they say, and sends what they say."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urljoin

import httpx

JSON = "application/json"
ACCEPT_JSON = {"Accept": JSON}

_DEFAULTS = {
    "properties": ("readproperty", "writeproperty"),
    "actions": ("invokeaction",),
    "events": ("subscribeevent", "unsubscribeevent"),
    "": (),
}


def urls(
    td: Mapping[str, Any],
    operation: str,
    kind: str = "",
    name: str = "",
    subprotocol: str | None = None,
) -> list[str]:
    """Where the forms of an affordance, or of the Thing, lead that a profile lets one use."""
    forms = td[kind][name]["forms"] if kind else td.get("forms", [])
    found = []
    for form in forms:
        operations = form.get("op", _DEFAULTS[kind])
        url = urljoin(td.get("base", ""), form["href"])
        if (
            operation in ([operations] if isinstance(operations, str) else operations)
            and url.startswith(("http:", "https:"))
            and form.get("contentType", JSON) == JSON
            and form.get("subprotocol") == subprotocol
        ):
            found.append(url)
    return found


def url_of(td: Mapping[str, Any], operation: str, *place: str) -> str:
    """The first of them. Fails the test when there is none."""
    found = urls(td, operation, *place)
    assert found, f"no form for {operation} of {place or 'the Thing'}"
    return found[0]


def stream_of(td: Mapping[str, Any], operation: str, kind: str = "", name: str = "") -> str:
    found = urls(td, operation, kind, name, "sse")
    assert found, f"no stream for {operation} of {name or 'the Thing'}"
    return found[0]


async def invoke(
    http: httpx.AsyncClient, td: Mapping[str, Any], action: str, *value: Any, **headers: str
) -> httpx.Response:
    """Without a value there is neither a Content-Type nor a body."""
    url = url_of(td, "invokeaction", "actions", action)
    options: dict[str, Any] = {"json": value[0]} if value else {}
    return await http.post(url, headers={**ACCEPT_JSON, **headers}, **options)


class Stream:
    """The messages of an event stream, each as its fields."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def next(self) -> dict[str, str]:
        fields: dict[str, str] = {}
        async for line in self._lines:
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
            elif fields:
                return fields
        raise EOFError("the stream has ended")


@asynccontextmanager
async def streaming(
    http: httpx.AsyncClient, url: str, last_id: str | None = None
) -> AsyncIterator[Stream]:
    headers = {"Accept": "text/event-stream", "Connection": "keep-alive"}
    if last_id is not None:
        headers["Last-Event-ID"] = last_id
    async with http.stream("GET", url, headers=headers) as response:
        yield Stream(response)


def is_json(response: httpx.Response) -> bool:
    return bool(response.headers.get("content-type") == JSON)


def is_problem(response: httpx.Response) -> bool:
    body: dict[str, Any] = response.json()
    is_typed = response.headers["content-type"] == "application/problem+json"
    is_complete = {"type", "title", "detail"} <= body.keys()
    return is_typed and is_complete and bool(body["status"] == response.status_code)

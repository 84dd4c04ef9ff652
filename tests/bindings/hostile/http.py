"""HTTP: every route of Things, with any method, headers, query and body."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import quote

import httpx
from hypothesis import strategies as st

from servient.app import App
from tests.bindings.hostile.driver import ANSWER_SECONDS, Answer
from tests.bindings.hostile.strategies import (
    AIMS,
    BODIES,
    MEDIA_TYPES,
    THINGS,
    WORDS,
    Aim,
    Body,
    mostly,
    to_path,
)

# For what begins to answer when something happens, or never ends.
SUBSCRIBED_SECONDS = 0.02
_NOTED = st.sampled_from(["text/event-stream", "application/cbor", "text/plain;q=0", "*/*"])
_LATIN = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)
_PATHS = st.one_of(
    st.builds(to_path, st.just("things"), THINGS, st.just("actions"), WORDS, WORDS),
    st.builds(
        to_path, st.just("things"), THINGS, st.just("properties"), WORDS, st.just("observe") | WORDS
    ),
    st.builds(to_path, st.just("things"), THINGS, st.just("events"), WORDS),
    st.builds(
        to_path, st.just("things"), THINGS, st.sampled_from(["properties", "actions", "events"])
    ),
    st.builds(to_path, st.just("things"), THINGS),
    st.sampled_from(["/", "/things", "/.well-known/wot", "/openapi.json", "/*"]),
    st.builds(to_path, WORDS, WORDS),
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Accept": _NOTED | MEDIA_TYPES,
        "Prefer": st.sampled_from(["respond-async", "respond-async, wait=0", "wait"]) | _LATIN,
        "Last-Event-ID": st.integers().map(str) | _LATIN,
        "If-None-Match": _LATIN,
        "Origin": _LATIN,
        "traceparent": _LATIN,
    },
)
METHODS = st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH", "BREW"])


@dataclass(frozen=True, slots=True)
class HttpCase:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Body | None


def http_cases(
    paths: st.SearchStrategy[str], bodies: st.SearchStrategy[Body] = BODIES
) -> st.SearchStrategy[HttpCase]:
    queries = st.just("") | st.sampled_from(["limit=1&offset=-1", "a=b&a", "%ff=%00"]) | _LATIN
    return st.builds(HttpCase, METHODS, paths, queries, HEADERS, st.none() | bodies)


def _aimed(aim: Aim, thing: str, way: tuple[str, str], headers: dict[str, str]) -> HttpCase:
    method, kind = way
    return HttpCase(method, to_path("things", thing, kind, aim.name), "", headers, aim.body)


_WAYS = st.sampled_from([("POST", "actions"), ("PUT", "properties"), ("GET", "properties")])
_AIMED = st.builds(_aimed, AIMS, THINGS, _WAYS, mostly(st.just({}), HEADERS))


class HttpDriver:
    cases: st.SearchStrategy[HttpCase] = _AIMED | _AIMED | http_cases(_PATHS)
    allowed: frozenset[int] = frozenset()

    def __init__(self, app: App) -> None:
        self._base = app.addresses()["http"]
        self._client = httpx.AsyncClient(timeout=ANSWER_SECONDS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def send(self, case: HttpCase) -> Sequence[Answer]:
        headers = dict(case.headers)
        if case.body is not None and case.body.media_type.strip():
            headers["Content-Type"] = case.body.media_type.strip()
        request = self._client.build_request(
            case.method,
            f"{self._base}{case.path}?{quote(case.query, safe='=&%;,')}",
            headers={name: value.strip() for name, value in headers.items()},
            content=case.body.data if case.body else None,
        )
        if is_subscription(case):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SUBSCRIBED_SECONDS):
                    return [await self._ask(request)]
            return []
        async with asyncio.timeout(ANSWER_SECONDS):
            return [await self._ask(request)]

    async def _ask(self, request: httpx.Request) -> Answer:
        answer = await self._client.send(request, stream=True)
        try:
            body = b""
            if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                body = await answer.aread()
            return Answer(answer.status_code, body[:300].decode(errors="replace"))
        finally:
            await answer.aclose()


def is_subscription(case: HttpCase) -> bool:
    """Whether its answer may be a long time in coming."""
    return case.method == "GET" and ("/events" in case.path or case.path.endswith("/observe"))

"""CoAP: any code, options and payload, by blocks where it is long; and datagrams of noise."""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiocoap
from hypothesis import strategies as st

from servient.app import App
from tests.bindings.hostile.driver import ANSWER_SECONDS, Answer
from tests.bindings.hostile.sponge import THING
from tests.bindings.hostile.strategies import AIMS, BODIES, WORDS, Aim, Body, mostly

FORMATS = {"application/json": 50, "application/cbor": 60, "text/plain": 0, "image/png": 23}
_CODES = st.sampled_from(
    [
        aiocoap.GET, aiocoap.PUT, aiocoap.POST, aiocoap.DELETE,
        aiocoap.FETCH, aiocoap.PATCH, aiocoap.iPATCH,
    ]
)  # fmt: skip
_NUMBERS = st.none() | st.sampled_from([0, 40, 42, 50, 60, 432]) | st.integers(0, 65535)
# A segment of a path has at most 255 bytes (RFC 7252 section 5.10).
_SEGMENT = WORDS.map(lambda word: word.encode()[:200].decode(errors="ignore"))
_THING = mostly(st.just(THING), _SEGMENT)
_PATHS = st.one_of(
    st.tuples(
        st.just("things"), _THING, st.sampled_from(["actions", "properties", "events"]), _SEGMENT
    ),
    st.tuples(st.just("things"), _THING, st.just("actions"), _SEGMENT, _SEGMENT),
    st.tuples(st.just("things"), _THING, st.sampled_from(["actions", "properties", "events"])),
    st.tuples(st.just("things"), _THING),
    st.sampled_from([(), ("things",), (".well-known", "core"), (".well-known", "wot")]),
    st.lists(_SEGMENT, max_size=5).map(tuple),
)


@dataclass(frozen=True, slots=True)
class CoapCase:
    code: aiocoap.Code
    path: tuple[str, ...]
    queries: tuple[str, ...]
    content_format: int | None
    accept: int | None
    observe: int | None
    body: Body | None


def _aimed(aim: Aim, thing: str, way: tuple[aiocoap.Code, str], observe: int | None) -> CoapCase:
    code, kind = way
    body = None if code is aiocoap.GET else aim.body
    return CoapCase(code, ("things", thing, kind, aim.name[:60]), (), None, None, observe, body)


_WAYS = st.sampled_from(
    [(aiocoap.POST, "actions"), (aiocoap.PUT, "properties"), (aiocoap.GET, "properties")]
)
_AIMED = st.builds(_aimed, AIMS, _THING, _WAYS, mostly(st.none(), st.sampled_from([0, 1])))


class CoapDriver:
    cases: st.SearchStrategy[CoapCase | bytes] = st.one_of(
        _AIMED,
        _AIMED,
        st.builds(
            CoapCase,
            _CODES,
            _PATHS,
            st.lists(_SEGMENT, max_size=2).map(tuple),
            _NUMBERS,
            _NUMBERS,
            st.none() | st.sampled_from([0, 1]) | st.integers(2, 2**24 - 1),
            st.none() | BODIES,
        ),
        st.binary(max_size=80),
        st.binary(max_size=60).map(lambda noise: b"\x40\x02\x12\x34" + noise),
    )
    allowed: frozenset[int] = frozenset()

    def __init__(self, app: App) -> None:
        self._uri = app.addresses()["coap"]
        address = urlsplit(self._uri)
        self._noise = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._noise.connect((address.hostname or "", address.port or 0))
        self._context: aiocoap.Context

    async def __aenter__(self) -> Self:
        self._context = await aiocoap.Context.create_client_context(transports=["udp6"])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._noise.close()
        await self._context.shutdown()

    async def send(self, case: CoapCase | bytes) -> Sequence[Answer]:
        if isinstance(case, bytes):
            self._noise.send(case)
            await asyncio.sleep(0)
            return []
        request = aiocoap.Message(code=case.code, uri=self._uri)
        request.opt.uri_path = case.path
        request.opt.uri_query = case.queries
        if case.body is not None:
            request.payload = case.body.data
            known = FORMATS.get(case.body.media_type)
            request.opt.content_format = known if known is not None else case.content_format
        request.opt.accept = case.accept
        request.opt.observe = case.observe
        asked = self._context.request(request)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await asked.response
        finally:
            if asked.observation is not None and not asked.observation.cancelled:
                asked.observation.cancel()
        number = int(answer.code)
        status = 100 * (number >> 5) + (number & 31)
        return [Answer(status, answer.payload[:300].decode(errors="replace"))]

"""Thing Descriptions over HTTP: of one Thing, of all, and of the servient itself (WoT Discovery)."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

from servient.bindings.http.listing import Page, parse_page
from servient.bindings.http.messages import Handler, Request, Response
from servient.errors import NotFound
from servient.wot.access import Scope
from servient.wot.content import to_json
from servient.wot.description import Document
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing

TD_MEDIA_TYPE = "application/td+json"
DIRECTORY_MEDIA_TYPE = "application/ld+json"

# Of TDs that were not asked for yet, each of which takes about a millisecond; there may be thousands.
_AT_ONCE = 10


class _Encoded(NamedTuple):
    document: Document
    body: bytes
    etag: str


class Directory:
    """Routes of `/.well-known/wot`, `/things` and `/things/{thing}`.

    `own_thing` is the name of the servient's own Thing. A TD is encoded once, until it changes.
    """

    def __init__(self, servient: Servient, own_thing: str | None) -> None:
        self._servient = servient
        self._own_thing = own_thing
        self._encoded: dict[str, _Encoded] = {}
        self._own: Mapping[str, Handler] = {"GET": self._read_own}
        self._all: Mapping[str, Handler] = {"GET": self._list}
        self._one: Mapping[str, Handler] = {"GET": self._read}

    def find(self, segments: tuple[str, ...]) -> Mapping[str, Handler] | None:
        match segments:
            case ("things", _):
                return self._one
            case ("things",):
                return self._all
            case (".well-known", "wot"):
                return self._own
        return None

    def forget(self, name: str) -> None:
        """The Thing is no longer served."""
        self._encoded.pop(name, None)

    async def _read_own(self, request: Request) -> Response:
        """For everybody: it says which credentials are wanted."""
        if self._own_thing is None:
            raise NotFound("this servient has no Thing of its own")
        return self._td(self._own_thing, request)

    async def _read(self, request: Request) -> Response:
        self._servient.policy.require_somebody()
        name = self._servient.exposed(request.segments[1]).name
        self._servient.policy.require(Scope.READ, name)
        return self._td(name, request)

    def _td(self, name: str, request: Request) -> Response:
        encoded = self._encode(self._servient.exposed(name))
        return _respond(encoded.body, encoded.etag, TD_MEDIA_TYPE, request)

    async def _list(self, request: Request) -> Response:
        page, policy = parse_page(request), self._servient.policy
        policy.require_somebody()
        visible = (
            t for t in self._servient.enabled_exposed_things if policy.allows(Scope.READ, t.name)
        )
        things = sorted(visible, key=lambda t: t.description.id or t.name)
        encoded = [one async for one in self._encode_all(things)]
        body = page.of([one.body for one in encoded])
        etag = _etag(b"".join(one.etag.encode() for one in encoded))
        own = etag if page == Page() else _etag(body)
        link = ("Link", page.links(len(encoded), etag))
        return _respond(body, own, DIRECTORY_MEDIA_TYPE, request, link)

    async def _encode_all(self, things: Sequence[ExposedThing]) -> AsyncIterator[_Encoded]:
        """Those that are still served when their turn comes, while others are answered too."""
        for number, thing in enumerate(things):
            if thing.name not in self._encoded and number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if self._servient.exposed_thing_set.contains(thing):
                yield self._encode(thing)

    def _encode(self, thing: ExposedThing) -> _Encoded:
        document = self._servient.td(thing)
        known = self._encoded.get(thing.name)
        if known is None or known.document is not document:
            body = to_json(document)
            known = self._encoded[thing.name] = _Encoded(document, body, _etag(body))
        return known


def _etag(body: bytes) -> str:
    return f'"{blake2b(body, digest_size=12).hexdigest()}"'


def _respond(
    body: bytes, etag: str, media_type: str, request: Request, *more: tuple[str, str]
) -> Response:
    headers = (("ETag", etag), ("Cache-Control", "no-cache"), *more)
    known = request.header("if-none-match")
    if known is not None and (known.strip() == "*" or etag in known):
        return Response(304, headers=headers)
    return Response(200, body, media_type, headers)

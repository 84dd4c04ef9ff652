"""The routes of the page and its files: an extension of the HTTP binding."""

import gzip
from collections.abc import Mapping
from hashlib import blake2b

from servient.bindings.http.messages import Handler, Request, Response
from servient.console.assets import Asset, Assets
from servient.console.page import Listing, Page
from servient.errors import InvalidInput, NotAcceptable
from servient.wot.accept import parse_accept, quality
from servient.wot.access import Scope, acting
from servient.wot.servient import Servient

HTML = "text/html; charset=utf-8"

# Whatever a Thing calls itself and a module answers, the browser runs nothing but our own files, asks
# nobody but this origin, and lets no string become a document.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "media-src blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
_PAGE_HEADERS = (
    ("Content-Security-Policy", POLICY),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("Link", '</.well-known/wot>; rel="service-desc"; type="application/td+json"'),
    ("Cache-Control", "private, no-cache"),
    ("Vary", "Accept, Accept-Encoding, Authorization"),
)
_ASSET_HEADERS = (
    ("Cache-Control", "public, max-age=31536000, immutable"),
    ("Vary", "Accept-Encoding"),
    ("X-Content-Type-Options", "nosniff"),
)
_COMPRESSED = (("Content-Encoding", "gzip"),)


class Console:
    """Routes of `/` and of the files below `/console`."""

    def __init__(self, servient: Servient, title: str, assets: Assets) -> None:
        self._servient = servient
        self._page = Page(title, assets)
        self._root: Mapping[str, Handler] = {"GET": self._read}
        self._files: Mapping[tuple[str, ...], Mapping[str, Handler]] = {
            tuple(f"{assets.root}/{name}".split("/")[1:]): {"GET": _handler(asset)}
            for name, asset in assets.files.items()
        }

    def find(self, segments: tuple[str, ...]) -> Mapping[str, Handler] | None:
        return self._root if segments == ("",) else self._files.get(segments)

    async def _read(self, request: Request) -> Response:
        if not quality("text/html", parse_accept(request.header("accept") or "*/*")):
            raise NotAcceptable("this is a page for browsers; /.well-known/wot is for programs")
        query = dict(request.query)
        if "login" in query:
            # The browser of somebody who runs no script asks for a name and password.
            self._servient.policy.require_somebody()
        body = self._page.render(self._listing(_offset(query)))
        etag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
        headers = (*_PAGE_HEADERS, ("ETag", etag))
        if etag in (request.header("if-none-match") or ""):
            return Response(304, headers=headers)
        if _takes_gzip(request):
            return Response(200, gzip.compress(body, 5), HTML, headers + _COMPRESSED)
        return Response(200, body, HTML, headers)

    def _listing(self, offset: int) -> Listing | None:
        """None for strangers where there are none."""
        policy = self._servient.policy
        if not policy.is_open and acting() is None:
            return None
        things = self._servient.enabled_exposed_things
        visible = (thing for thing in things if policy.allows(Scope.READ, thing.name))
        return Listing(sorted(visible, key=lambda thing: thing.description.title), offset)


def _handler(asset: Asset) -> Handler:
    etag = f'"{blake2b(asset.body, digest_size=12).hexdigest()}"'
    headers = (*_ASSET_HEADERS, ("ETag", etag))
    plain = Response(200, asset.body, asset.media_type, headers)
    compressed = Response(200, asset.compressed, asset.media_type, headers + _COMPRESSED)
    known = Response(304, headers=headers)

    async def answer(request: Request) -> Response:
        if etag in (request.header("if-none-match") or ""):
            return known
        return compressed if _takes_gzip(request) else plain

    return answer


def _takes_gzip(request: Request) -> bool:
    return "gzip" in (request.header("accept-encoding") or "")


def _offset(query: Mapping[str, str]) -> int:
    text = query.get("offset", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidInput(f"offset: a number from 0 is wanted, not {text[:50]!r}")
    return int(text)

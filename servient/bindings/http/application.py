"""The ASGI application: finds the handler of a request, and makes every error an answer."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from types import MappingProxyType

from servient.bindings.http.extension import Extension
from servient.bindings.http.messages import Handler, Message, Receive, Request, Response, Send
from servient.bindings.http.watch import ClientGone
from servient.errors import Forbidden, NotFound, OperationNotAllowed, ServientError, Unauthorized
from servient.security.authenticator import Authenticator
from servient.security.credentials import API_KEY_HEADER, Basic, parse_credentials
from servient.security.describe import to_challenges
from servient.wot import tracing
from servient.wot.access import Principal, acting_as

logger = logging.getLogger(__name__)

MEDIA_TYPE_LIMIT = 200
PREFLIGHT_SECONDS = 600

# Where a browser says that the page is whose script asks (W3C Fetch Metadata), other than here.
_ELSEWHERE = ("cross-site", "same-site")

# Pages of other origins may call and read: the graphical interfaces of orchestrators do.
_ANY_ORIGIN = (b"access-control-allow-origin", b"*")
_EXPOSED = (b"access-control-expose-headers", b"ETag, Link, Location, Retry-After")
_PREFLIGHT = (
    (
        "Access-Control-Allow-Headers",
        "Authorization, Content-Type, Last-Event-ID, Prefer, X-API-Key, X-Chain-Step",
    ),
    ("Access-Control-Max-Age", str(PREFLIGHT_SECONDS)),
)


class Application:
    """Answers requests with the first of `routes` that knows their path."""

    def __init__(
        self,
        routes: Sequence[Extension],
        body_limit_bytes: int,
        authenticator: Authenticator | None = None,
        larger_bodies: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """`larger_bodies` are limits of their own for the bodies of some paths."""
        self._routes = tuple(routes)
        self._authenticator = authenticator
        self._challenges = to_challenges(authenticator.schemes) if authenticator else ()
        self._body_limit_bytes = body_limit_bytes
        self._larger_bodies = larger_bodies

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        limit_bytes = self._larger_bodies.get(scope["path"], self._body_limit_bytes)
        request = Request(scope, receive, limit_bytes)
        if trace := request.header(tracing.NAME):
            tracing.TRACEPARENT.set(tracing.parse_traceparent(trace))
        try:
            await _send(await self._answer(request), send)
        except ClientGone:
            logger.debug("%s %s: the client has gone", request.method, request.path)
        except asyncio.CancelledError:
            # The server is stopping and has closed the connection. This is the top of the request's
            # task: uvicorn, below us, would log the cancellation as a fault of the application.
            logger.debug("%s %s: cancelled", request.method, request.path)

    async def _answer(self, request: Request) -> Response:
        handlers: Mapping[str, Handler] = {}
        try:
            handlers = self._find(request)
            handler = handlers.get(request.method) or _default(request.method, handlers)
            with acting_as(await self._principal(request), request.client):
                return await handler(request)
        except Unauthorized as error:
            logger.info("%s %s: %s", request.method, request.path, error.detail)
            return replace(Response.problem(error, request.path), headers=self._challenges)
        except ServientError as error:
            logger.info("%s %s: %s", request.method, request.path, error.detail)
            return _refusal(error, request, handlers)
        except (ClientGone, asyncio.CancelledError):
            raise
        except Exception:  # a bug: its traceback is for us, not for the client
            logger.exception("%s %s failed", request.method, request.path)
            return Response.problem(ServientError("the servient failed"), request.path)

    async def _principal(self, request: Request) -> Principal | None:
        """Who asks; None when that is nobody we know. Raises Unauthorized for wrong credentials."""
        authenticator = self._authenticator
        if authenticator is None:
            return None
        credentials = parse_credentials(
            request.header("authorization"), request.header(API_KEY_HEADER)
        )
        if credentials is None:
            return await authenticator.guest(request.client)
        if isinstance(credentials, Basic) and request.header("sec-fetch-site") in _ELSEWHERE:
            raise Forbidden("a page's browser may have added the password by itself: use a token")
        return await authenticator.authenticate(credentials, request.client)

    def _find(self, request: Request) -> Mapping[str, Handler]:
        segments = request.segments
        for routes in self._routes:
            if (handlers := routes.find(segments)) is not None:
                return handlers
        raise NotFound(f"nothing is at {request.path[:200]}")


def _default(method: str, handlers: Mapping[str, Handler]) -> Handler:
    """The handler for a method without one of its own. Raises OperationNotAllowed."""
    if method == "HEAD" and "GET" in handlers:
        return handlers["GET"]  # the body is left out when it is sent
    if method == "OPTIONS":
        allowed = _allow(handlers)
        headers = (("Allow", allowed), ("Access-Control-Allow-Methods", allowed), *_PREFLIGHT)

        async def answer(_: Request) -> Response:
            return Response(204, headers=headers)

        return answer
    raise OperationNotAllowed(f"{method} is not possible here")


def _refusal(error: ServientError, request: Request, handlers: Mapping[str, Handler]) -> Response:
    response = Response.problem(error, request.path)
    if isinstance(error, OperationNotAllowed):
        # Also for a method that the path has and the affordance has not: PUT on a read-only property.
        allowed = _allow(method for method in handlers if method != request.method)
        return replace(response, headers=(("Allow", allowed),))
    return response


def _allow(methods: Iterable[str]) -> str:
    known = set(methods)
    return ", ".join(sorted(known | {"OPTIONS"} | ({"HEAD"} if "GET" in known else set())))


async def _send(response: Response, send: Send) -> None:
    headers = [_ANY_ORIGIN]
    if response.headers:
        headers.append(_EXPOSED)
        headers += [(name.lower().encode(), value.encode()) for name, value in response.headers]
    if response.media_type is not None:
        headers.append((b"content-type", _media_type(response.media_type)))
    body = response.body
    if isinstance(body, bytes):
        if response.status not in (204, 304):
            headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return
    async with aclosing(body):
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        async for chunk in body:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _media_type(text: str) -> bytes:
    """A media type that may come from a client or a module, fit for a header."""
    is_fit = text.isascii() and text.isprintable() and len(text) <= MEDIA_TYPE_LIMIT
    return text.encode() if is_fit else b"application/octet-stream"

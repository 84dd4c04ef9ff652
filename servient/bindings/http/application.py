"""Finds the handler of a request, and makes every error an answer."""

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from types import MappingProxyType

from servient.bindings.http.extension import Extension
from servient.bindings.http.messages import Handler, Incoming, Request, Response
from servient.bindings.http.watch import ClientGone
from servient.errors import Forbidden, NotFound, OperationNotAllowed, ServientError, Unauthorized
from servient.security.authenticator import Authenticator
from servient.security.credentials import API_KEY_HEADER, Basic, parse_credentials
from servient.security.describe import to_challenges
from servient.wot.access import Principal, acting_as

logger = logging.getLogger(__name__)

PREFLIGHT_SECONDS = 600

# Where a browser says that the page is whose script asks (W3C Fetch Metadata), other than here.
_ELSEWHERE = ("cross-site", "same-site")

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

    def answer(self, incoming: Incoming) -> Response | Awaitable[Response]:
        """An answer, or one to wait for, which raises ClientGone and CancelledError.

        Where nobody has to show who they are; in the context of the connection, else.
        """
        limit_bytes = self._larger_bodies.get(incoming.path, self._body_limit_bytes)
        request = Request(incoming, limit_bytes)
        if self._authenticator is not None:
            return self._answer_to_somebody(request)
        handlers: Mapping[str, Handler] = {}
        try:
            handlers = self._find(request)
            handler = handlers.get(request.method) or _default(request.method, handlers)
            found = handler(request)
        except Exception as error:  # noqa: BLE001 - each is an answer
            return self._failure(error, request, handlers)
        return found if type(found) is Response else self._await(found, request, handlers)

    async def _await(
        self,
        found: Response | Awaitable[Response],
        request: Request,
        handlers: Mapping[str, Handler],
    ) -> Response:
        try:
            return found if isinstance(found, Response) else await found
        except (ClientGone, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - the same
            return self._failure(error, request, handlers)

    async def _answer_to_somebody(self, request: Request) -> Response:
        handlers: Mapping[str, Handler] = {}
        try:
            handlers = self._find(request)
            handler = handlers.get(request.method) or _default(request.method, handlers)
            with acting_as(await self._principal(request), request.client):
                return await self._await(handler(request), request, handlers)
        except (ClientGone, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - the same
            return self._failure(error, request, handlers)

    def _failure(
        self, error: Exception, request: Request, handlers: Mapping[str, Handler]
    ) -> Response:
        if not isinstance(error, ServientError):  # a bug: its traceback is for us
            logger.error("%s %s failed", request.method, request.path, exc_info=error)
            return Response.problem(ServientError("the servient failed"), request.path)
        logger.info("%s %s: %s", request.method, request.path, error.detail)
        if isinstance(error, Unauthorized):
            response = Response.problem(error, request.path)
            return response._replace(headers=self._challenges)
        return _refusal(error, request, handlers)

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

        return lambda _: Response(204, headers=headers)
    raise OperationNotAllowed(f"{method} is not possible here")


def _refusal(error: ServientError, request: Request, handlers: Mapping[str, Handler]) -> Response:
    response = Response.problem(error, request.path)
    if isinstance(error, OperationNotAllowed):
        # Also for a method that the path has and the affordance has not: PUT on a read-only property.
        allowed = _allow(method for method in handlers if method != request.method)
        return response._replace(headers=(("Allow", allowed),))
    return response


def _allow(methods: Iterable[str]) -> str:
    known = set(methods)
    return ", ".join(sorted(known | {"OPTIONS"} | ({"HEAD"} if "GET" in known else set())))

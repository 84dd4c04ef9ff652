"""All properties of a Thing at once over HTTP: read, written, or observed in one stream."""

from collections.abc import Awaitable, Mapping

from servient.bindings.http.messages import Handler, Request, Response
from servient.bindings.http.notifications import wants_stream
from servient.errors import InvalidInput
from servient.wot.content import JSON_MEDIA_TYPE, Content
from servient.wot.door import Door

# Several properties are read with `?names=level,state`. No form says so: its variable would have to be
# declared for the Thing, and WoTPy 0.18 cannot read a TD with `uriVariables` there.
NAMES = "names"


class WholeThings:
    """The route of `/things/{thing}/properties`; `observe` answers who wants a stream."""

    def __init__(self, door: Door, observe: Handler) -> None:
        self._door = door
        self._observe = observe
        self._handlers: Mapping[str, Handler] = {"GET": self._get, "PUT": self._write}

    def find(self, segments: tuple[str, ...]) -> Mapping[str, Handler] | None:
        match segments:
            case ("things", _, "properties"):
                return self._handlers
        return None

    def _get(self, request: Request) -> Response | Awaitable[Response]:
        return self._observe(request) if wants_stream(request) else self._read(request)

    async def _read(self, request: Request) -> Response:
        values = await self._door.read_properties(request.segments[1], _names(request))
        return Response.json(200, values)

    async def _write(self, request: Request) -> Response:
        values = Content(await request.body(), request.header("content-type") or JSON_MEDIA_TYPE)
        await self._door.write_properties(request.segments[1], values)
        return Response(204)


def _names(request: Request) -> list[str] | None:
    """The names that are asked for; None when all are. Raises InvalidInput."""
    if not request.query:
        return None
    if unknown := [name for name, _ in request.query if name != NAMES]:
        raise InvalidInput(
            f"the query may name properties as ?{NAMES}=a,b; not {unknown[0][:50]!r}"
        )
    return [name for _, text in request.query for name in text.split(",") if name]

"""The route of `/metrics`, which Prometheus reads."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TypeAlias

from servient.bindings.http.messages import Handler, Request, Response
from servient.wot.access import Scope
from servient.wot.content import Content
from servient.wot.servient import Servient

PATH = "metrics"
_NO_STORE = (("Cache-Control", "no-store"),)

# Gets the header Accept, and who says of the name of a Thing whether it may be told of.
Write: TypeAlias = Callable[[str, Callable[[str], bool]], Awaitable[Content]]


class MetricsRoute:
    """An extension of the HTTP binding, for who may read the servient's own Thing.

    Of other Things, it tells those who may read them.
    """

    def __init__(self, servient: Servient, servient_thing: str, write: Write) -> None:
        self._servient = servient
        self._servient_thing = servient_thing
        self._write = write
        self._handlers: Mapping[str, Handler] = {"GET": self._read}

    def find(self, segments: tuple[str, ...]) -> Mapping[str, Handler] | None:
        return self._handlers if segments == (PATH,) else None

    async def _read(self, request: Request) -> Response:
        policy = self._servient.policy
        policy.require(Scope.READ, self._servient_thing)
        text = await self._write(request.header("accept") or "", partial(policy.allows, Scope.READ))
        return Response(200, text.body, text.media_type, _NO_STORE)

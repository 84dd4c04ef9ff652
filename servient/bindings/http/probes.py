"""Routes by which whoever runs the servient asks whether it lives, and whether to send it work."""

from collections.abc import Callable, Mapping

from servient.bindings.http.messages import Handler, Request, Response

# They are for everybody, so they say nothing else: no figure, no name, no version.
_NO_STORE = (("Cache-Control", "no-store"),)


class Probes:
    """`is_ready` is false from when the servient begins to stop."""

    def __init__(self, is_ready: Callable[[], bool]) -> None:
        self._is_ready = is_ready
        self._routes: dict[tuple[str, ...], Mapping[str, Handler]] = {
            ("health", "live"): {"GET": self._live},
            ("health", "ready"): {"GET": self._ready},
        }

    def find(self, segments: tuple[str, ...]) -> Mapping[str, Handler] | None:
        return self._routes.get(segments)

    async def _live(self, _: Request) -> Response:
        """That there is an answer is the answer."""
        return Response.json(200, {"status": "live"}, _NO_STORE)

    async def _ready(self, _: Request) -> Response:
        if self._is_ready():
            return Response.json(200, {"status": "ready"}, _NO_STORE)
        return Response.json(503, {"status": "stopping"}, _NO_STORE)

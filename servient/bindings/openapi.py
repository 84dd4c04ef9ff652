"""The route of `/openapi.json`: every HTTP operation of the Things, as OpenAPI describes APIs."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from servient.bindings.http.messages import Handler, Request, Response
from servient.wot.access import Scope
from servient.wot.content import to_json
from servient.wot.servient import Servient

PATH = "openapi.json"

Write: TypeAlias = Callable[[Sequence[Mapping[str, Any]]], Mapping[str, Any]]


class OpenApiRoute:
    """An extension of the HTTP binding; `write` makes the document of Thing Descriptions."""

    def __init__(self, servient: Servient, write: Write) -> None:
        self._servient = servient
        self._write = write
        self._handlers: Mapping[str, Handler] = {"GET": self._read}

    def find(self, segments: tuple[str, ...]) -> Mapping[str, Handler] | None:
        return self._handlers if segments == (PATH,) else None

    async def _read(self, _: Request) -> Response:
        """What the one who asks may read."""
        policy = self._servient.policy
        policy.require_somebody()
        things = [
            self._servient.td(thing)
            for thing in self._servient.enabled_exposed_things
            if policy.allows(Scope.READ, thing.name)
        ]
        # Of many Things it is a large document, and others want to be answered meanwhile.
        body = await asyncio.to_thread(lambda: to_json(self._write(things)))
        return Response(200, body, "application/json")

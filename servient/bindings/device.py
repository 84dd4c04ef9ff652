"""The fixed HTTP routes by which an orchestrator gets to know this machine and looks after it."""

import asyncio
import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from servient.bindings.http.messages import Handler, Request, Response
from servient.errors import InvalidInput
from servient.journal import Journal
from servient.wot.access import Scope
from servient.wot.audit import audit
from servient.wot.content import parse_json
from servient.wot.servient import Servient

TD_MEDIA_TYPE = "application/td+json"
IS_SET_HEADER = "Custom-Orchestrator-Set"


class Orchestrator(Protocol):
    """What the routes tell it, and ask it."""

    @property
    def is_set(self) -> bool: ...

    def set(self, url: str) -> None: ...

    def health_checked(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the figures come from. `imports` are names of what modules may import."""

    health: Callable[[], dict[str, Any]]
    platform: Callable[[], dict[str, Any]]
    imports: Sequence[str]


class DeviceRoutes:
    """An extension of the HTTP binding. `servient_thing` is the name of the servient's own Thing."""

    def __init__(
        self,
        servient: Servient,
        servient_thing: str,
        machine: Machine,
        orchestrator: Orchestrator,
        journal: Journal,
    ) -> None:
        self._servient = servient
        self._servient_thing = servient_thing
        self._machine = machine
        self._orchestrator = orchestrator
        self._journal = journal
        self._routes: dict[tuple[str, ...], Mapping[str, Handler]] = {
            ("health",): {"GET": self._health},
            ("register",): {"POST": self._register},
            (".well-known", "wasmiot-device-description"): {"GET": self._device},
            (".well-known", "wot-thing-description"): {"GET": self._thing},
        }

    def find(self, segments: tuple[str, ...]) -> Mapping[str, Handler] | None:
        """The handlers of a path by method, None when the path is not one of these routes."""
        return self._routes.get(segments)

    async def _health(self, request: Request) -> Response:
        self._servient.policy.require(Scope.READ, self._servient_thing)
        if _is_from_orchestrator(request):
            self._orchestrator.health_checked()
        self._journal.health_checked()
        is_set = "true" if self._orchestrator.is_set else "false"
        return Response.json(200, self._machine.health(), headers=((IS_SET_HEADER, is_set),))

    async def _register(self, request: Request) -> Response:
        self._servient.policy.require(Scope.DEPLOY, self._servient_thing)
        document = parse_json(await request.body())
        url = document.get("url") if isinstance(document, dict) else None
        if not isinstance(url, str):
            raise InvalidInput("/url: the URL of the orchestrator is wanted")
        self._orchestrator.set(url)
        audit("register", urlsplit(url).hostname or "")
        return Response.json(200, {"status": "success"})

    async def _device(self, _: Request) -> Response:
        self._servient.policy.require(Scope.READ, self._servient_thing)
        platform = await asyncio.to_thread(self._machine.platform)
        # Orchestrators compare names alone, without what they are imported from.
        names = sorted({name.rpartition(".")[2] for name in self._machine.imports})
        return Response.json(200, {"platform": platform, "supervisorInterfaces": names})

    async def _thing(self, _: Request) -> Response:
        thing = self._servient.exposed(self._servient_thing)
        answer = Response.json(200, self._servient.td(thing))
        return Response(200, answer.body, TD_MEDIA_TYPE)


def _is_from_orchestrator(request: Request) -> bool:
    """Not this machine's own monitoring: orchestrators say who they are, or ask from elsewhere."""
    if request.header("x-forwarded-for"):
        return True
    try:
        return not ipaddress.ip_address(request.client).is_loopback
    except ValueError:
        return False

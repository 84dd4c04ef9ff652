"""Invocations over HTTP: queried, cancelled, and started without waiting (WoT Profile, section 5.2)."""

from collections.abc import Mapping

from servient.bindings.http.messages import Handler, Request, Response
from servient.bindings.paths import invocation_path
from servient.wot.action_status import to_full_status, to_status
from servient.wot.door import Door
from servient.wot.invocation import Invocation

_NO_STORE = (("Cache-Control", "no-store"),)


class ActionStatuses:
    """Routes of `/things/{thing}/actions` and `/things/{thing}/actions/{name}/{number}`."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._all: Mapping[str, Handler] = {"GET": self._query_all}
        self._one: Mapping[str, Handler] = {"GET": self._query, "DELETE": self._cancel}

    def find(self, segments: tuple[str, ...]) -> Mapping[str, Handler] | None:
        match segments:
            case ("things", _, "actions"):
                return self._all
            case ("things", _, "actions", _, _):
                return self._one
        return None

    async def _query_all(self, request: Request) -> Response:
        found = self._door.invocations(request.segments[1])
        statuses = {
            action: [to_status(each, invocation_path(each)) for each in invocations]
            for action, invocations in found.items()
        }
        return Response.json(200, statuses, _NO_STORE)

    async def _query(self, request: Request) -> Response:
        """A failed invocation is no failed query: its status is as good as any other."""
        invocation = self._find(request)
        status = await to_full_status(invocation, invocation_path(invocation))
        return Response.json(200, status, _NO_STORE)

    async def _cancel(self, request: Request) -> Response:
        _, thing, _, action, number = request.segments
        self._door.cancel(thing, action, number)
        return Response(204)

    def _find(self, request: Request) -> Invocation:
        _, thing, _, action, number = request.segments
        return self._door.invocation(thing, action, number)


def wants_no_answer(request: Request) -> bool:
    """Whether the client would rather have a status than wait (RFC 7240 section 4.1)."""
    preferences = (request.header("prefer") or "").lower().split(",")
    return any(each.partition(";")[0].strip() == "respond-async" for each in preferences)


def accepted(invocation: Invocation, *, is_preferred: bool) -> Response:
    """The answer to who does not wait: where to ask how it goes."""
    href = invocation_path(invocation)
    applied = (("Preference-Applied", "respond-async"),) if is_preferred else ()
    return Response.json(201, to_status(invocation, href), (("Location", href), *applied))

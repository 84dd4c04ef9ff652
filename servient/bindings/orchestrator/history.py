"""Invocations of deployed functions as the history entries that orchestrators and their pages read."""

from collections.abc import Container, Iterator
from typing import Any

from servient.bindings.http.messages import Request
from servient.bindings.orchestrator.modules import DeployedModules
from servient.bindings.paths import to_path
from servient.errors import NotFound
from servient.wot.access import Scope
from servient.wot.content import Content, to_json, to_plain
from servient.wot.invocation import Invocation
from servient.wot.record import FILE_TYPES
from servient.wot.servient import Servient

CHAIN_STEP = "x-chain-step"
METHOD = "method"
# The note that a chain leaves: where the result of its next step is.
RESULT_URL = "resultUrl"

_PATH = "request-history"


def history_url(request: Request, invocation: Invocation, *file: str) -> str:
    """Where an entry or a file of it is, under the name by which the client knows us."""
    return f"{request.scheme}://{request.host}{to_path(_PATH, invocation.id, *file)}"


class History:
    """A view: nothing is kept here."""

    def __init__(self, servient: Servient, modules: DeployedModules) -> None:
        self._servient = servient
        self._modules = modules

    def __iter__(self) -> Iterator[Invocation]:
        """Those of deployed functions, oldest first: only Things of modules have a colon in their names."""
        policy = self._servient.policy
        policy.require_somebody()
        return (
            each
            for each in self._servient.invocations
            if ":" in each.thing and policy.allows(Scope.READ, each.thing)
        )

    def find(self, invocation_id: str) -> Invocation:
        """Raises NotFound."""
        self._servient.policy.require_somebody()
        invocation = self._servient.invocations.find(invocation_id)
        self._servient.policy.require(Scope.READ, invocation.thing)
        return invocation

    def entry(self, request: Request, invocation: Invocation) -> dict[str, Any]:
        deployment, _, module = invocation.thing.partition(":")
        members = invocation.input if isinstance(invocation.input, dict) else {}
        files = [name for name, member in members.items() if isinstance(member, FILE_TYPES)]
        link = history_url(request, invocation)
        return {
            **invocation.notes,
            "request_id": invocation.id,
            "deployment_id": deployment,
            "module_name": module,
            "function_name": self._modules.function(invocation.thing, invocation.action),
            "method": invocation.context.get(METHOD),
            "request_args": {n: to_plain(m) for n, m in members.items() if n not in files},
            "request_files": {name: name for name in files},
            "work_queued_at": invocation.requested_at.isoformat(),
            "step_index": _step(invocation),
            "outputs": [history_url(request, invocation, name) for name in invocation.files],
            "resultUrl": invocation.notes.get(RESULT_URL, link),
            **self._end(invocation),
        }

    def _end(self, invocation: Invocation) -> dict[str, Any]:
        if invocation.error is not None:
            reason = invocation.error.detail
            return {"success": False, "status": "error", "result": reason, "error": reason}
        if not invocation.is_over:
            return {"success": False, "result": None}
        return {"success": True, "result": self.result(invocation)}

    def result(self, invocation: Invocation) -> list[Any] | str:
        """Truthy in JavaScript, and a link only where it is to be followed: to a chain's next step.

        Else a pair of the value as a string and the names of the files, each of them null at times.
        """
        if link := invocation.notes.get(RESULT_URL):
            return link
        names = list(invocation.files) or None
        value = invocation.output
        is_said = not isinstance(value, FILE_TYPES) and (value is not None or names is None)
        return [to_json(value).decode() if is_said else None, names]

    async def file(self, invocation: Invocation, name: str) -> Content:
        """Raises NotFound, StorageFailed."""
        found = invocation.files.get(name)
        if found is None:
            raise NotFound(f"invocation {invocation.id!r} has no file {name[:200]!r}")
        content: Content = await self._servient.invocations.load(found)
        return content

    async def newest_file(
        self, things: Container[str], name: str, action: str | None = None
    ) -> Content | None:
        """The last file of that name that a function of these Things wrote, as far as is remembered."""
        for invocation in reversed(list(self)):
            is_theirs = invocation.thing in things and action in (None, invocation.action)
            if is_theirs and name in invocation.files:
                return await self.file(invocation, name)
        return None


def _step(invocation: Invocation) -> int | None:
    """Its place in a chain, from 0."""
    text = invocation.context.get(CHAIN_STEP, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None

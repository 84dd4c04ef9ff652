"""Invocations of deployed functions as the history entries that orchestrators and their pages read."""

from typing import Any
from urllib.parse import quote

from servient.bindings.http.messages import Request
from servient.bindings.paths import to_path
from servient.errors import NotFound
from servient.wot.content import Content, to_json, to_plain
from servient.wot.invocation import Invocation
from servient.wot.operations import AffordanceKind
from servient.wot.servient import Servient


def history_url(request: Request, invocation: Invocation) -> str:
    """Where the entry is, under the name by which the client knows us."""
    return f"{request.scheme}://{request.host}/request-history/{quote(invocation.id, safe=':')}"


class HistoryEntries:
    """A view: nothing is kept here."""

    def __init__(self, servient: Servient) -> None:
        self._servient = servient

    def executions(self) -> list[Invocation]:
        """Those of deployed functions: only the Things of modules have a colon in their names."""
        return [each for each in self._servient.invocations if ":" in each.thing]

    def entry(self, request: Request, invocation: Invocation) -> dict[str, Any]:
        deployment, _, module = invocation.thing.partition(":")
        members = invocation.input if isinstance(invocation.input, dict) else {}
        files = [name for name, member in members.items() if isinstance(member, Content)]
        entry: dict[str, Any] = {
            "request_id": invocation.id,
            "deployment_id": deployment,
            "module_name": module,
            "function_name": invocation.action,
            "request_args": {n: to_plain(m) for n, m in members.items() if n not in files},
            "request_files": {name: name for name in files},
            "work_queued_at": invocation.requested_at.isoformat(),
            "success": invocation.is_over and invocation.error is None,
            "resultUrl": history_url(request, invocation),
            "outputs": [],
            **invocation.notes,
        }
        if invocation.error is not None:
            return {**entry, "status": "error", "error": invocation.error.detail}
        if not invocation.is_over:
            return {**entry, "result": None}
        origin = f"{request.scheme}://{request.host}"
        outputs = [origin + path for path in self._output_paths(invocation)]
        return {**entry, "result": self.result(invocation), "outputs": outputs}

    def result(self, invocation: Invocation) -> list[Any]:
        """Truthy in JavaScript, and not a link: a value as a string, or the names of files."""
        if isinstance(invocation.output, Content):
            return [None, [self._file(invocation)[1]]]
        value = invocation.output
        return [None if value is None else to_json(value).decode(), None]

    def _output_paths(self, invocation: Invocation) -> list[str]:
        if not isinstance(invocation.output, Content):
            return []
        name = self._file(invocation)[0]
        return [to_path("things", invocation.thing, AffordanceKind.PROPERTY, name)]

    def _file(self, invocation: Invocation) -> tuple[str, str]:
        """The property that holds the output, and what the file is called."""
        name = f"{invocation.action}_result"
        try:
            described = self._servient.exposed(invocation.thing).description
            action = described.find(AffordanceKind.ACTION, invocation.action)
            name = action.result_property or name
            return name, described.find(AffordanceKind.PROPERTY, name).file or name
        except NotFound:  # its deployment is gone, or another one of that id came
            return name, name

"""Runs deployed functions for an orchestrator."""

from collections.abc import Awaitable
from typing import Any

from servient.bindings.http.messages import Request, Response
from servient.bindings.orchestrator.answers import await_end
from servient.bindings.orchestrator.history import CHAIN_STEP, METHOD, History, history_url
from servient.bindings.orchestrator.modules import DeployedModule, DeployedModules
from servient.bindings.orchestrator.request_input import read_input, read_parameters, takes_files
from servient.journal import Journal
from servient.wot.content import Value
from servient.wot.description import Affordance
from servient.wot.door import Door, Interaction
from servient.wot.invocation import Invocation
from servient.wot.operations import Operation

# What a chain passes on to its next step: its place, and what ties the traces of a request together.
PASSED_ON = (
    CHAIN_STEP,
    "traceparent",
    "tracestate",
    "baggage",
    "x-request-id",
    "x-correlation-id",
)
HEADER_LIMIT_CHARS = 8192


class Executions:
    """`hold_seconds` bounds how long a request waits; then its answer has the link alone."""

    def __init__(
        self,
        door: Door,
        modules: DeployedModules,
        history: History,
        journal: Journal,
        hold_seconds: float,
    ) -> None:
        self._door = door
        self._modules = modules
        self._history = history
        self._journal = journal
        self._hold_seconds = hold_seconds

    def run(
        self, deployment: str, module: str, function: str, request: Request
    ) -> Response | Awaitable[Response]:
        """Run a function and answer when it is over, with the link to its history entry."""
        found = self._modules.find(deployment, module)
        action = found.action(function)
        if takes_files(action):
            return self._run_with_files(found, action, request)
        invocation = self._start(found, action, request, read_parameters(action, request))
        if invocation.is_over:
            return self._to_answer(request, invocation, function)
        return self._wait(request, invocation, function)

    async def _run_with_files(
        self, found: DeployedModule, action: Affordance, request: Request
    ) -> Response:
        invocation = self._start(found, action, request, await read_input(action, request))
        return await self._wait(request, invocation, action.function or action.name)

    def _start(
        self, found: DeployedModule, action: Affordance, request: Request, value: Value
    ) -> Invocation:
        thing, context = found.thing.name, _context(request)
        return self._door.invoke(
            Interaction(Operation.INVOKE_ACTION, thing, action.name, value, context)
        )

    async def _wait(self, request: Request, invocation: Invocation, function: str) -> Response:
        if not await await_end(request, invocation, self._hold_seconds):
            await invocation.recorded()  # before its link is given out
        return self._to_answer(request, invocation, function)

    def _to_answer(self, request: Request, invocation: Invocation, function: str) -> Response:
        for name in invocation.files:
            link = history_url(request, invocation, name)
            self._journal.result_url(invocation.thing, invocation.id, function, link)
        return Response.json(200, self._answer(request, invocation))

    async def look(self, deployment: str, module: str, function: str, _: Request) -> Response:
        """Whether there is such a function; it does not run."""
        self._modules.find(deployment, module).action(function)
        return Response.json(200, {})

    def _answer(self, request: Request, invocation: Invocation) -> dict[str, Any]:
        url = history_url(request, invocation)
        if invocation.error is not None:
            # With a 200: an orchestrator shows its user `error` of a success only.
            return {"resultUrl": url, "status": "error", "error": invocation.error.detail}
        if not invocation.is_over:
            return {"resultUrl": url}
        return {"resultUrl": url, "result": self._history.result(invocation)}


def _context(request: Request) -> dict[str, str]:
    headers = ((name, request.header(name)) for name in PASSED_ON)
    said = {name: text for name, text in headers if text and len(text) <= HEADER_LIMIT_CHARS}
    return {METHOD: request.method, **said}

"""Which route of an orchestrator's is answered how."""

import logging
from collections.abc import Awaitable, Mapping
from functools import partial

from servient.bindings.http.messages import Handler, Request, Response
from servient.bindings.orchestrator.answers import await_end, file, not_ready, refusal
from servient.bindings.orchestrator.executions import Executions
from servient.bindings.orchestrator.history import History
from servient.bindings.orchestrator.modules import DeployedModule, DeployedModules
from servient.errors import NotFound, ServientError, Unauthorized
from servient.journal import Journal
from servient.wot.access import Policy, Scope
from servient.wot.content import Content, Value
from servient.wot.description import Affordance
from servient.wot.door import Door, Interaction
from servient.wot.invocation import Invocation
from servient.wot.operations import Operation
from servient.wot.servient import Servient

logger = logging.getLogger(__name__)

# Five tries of an orchestrator, each of which is held so long, cover the longest run of a function.
HOLD_SECONDS = 30.0


class OrchestratorRoutes:
    """An extension of the HTTP binding.

    `servient_thing` is the name of the servient's own Thing, through which deploying goes. A request
    for what is not ready is held for `hold_seconds`.
    """

    def __init__(
        self,
        servient: Servient,
        servient_thing: str,
        journal: Journal,
        hold_seconds: float = HOLD_SECONDS,
    ) -> None:
        self._servient = servient
        self._servient_thing = servient_thing
        self._hold_seconds = hold_seconds
        self._door = Door(servient, "http")
        self._modules = DeployedModules(servient)
        self._history = History(servient, self._modules)
        self._executions = Executions(
            self._door, self._modules, self._history, journal, hold_seconds
        )

    def find(self, segments: tuple[str, ...]) -> Mapping[str, Handler] | None:
        """The handlers of a path by method, None when the path is not one of these routes."""
        handlers = self._find(segments)
        if handlers is None:
            return None
        policy = self._servient.policy
        return {method: partial(_answering, policy, each) for method, each in handlers.items()}

    def _find(self, segments: tuple[str, ...]) -> Mapping[str, Handler] | None:
        match segments:
            case ("deploy",):
                return {"GET": self._deployments, "POST": self._deploy}
            case ("deploy", deployment):
                return {"DELETE": partial(self._undeploy, deployment)}
            case ("request-history",):
                return {"GET": self._entries}
            case ("request-history", invocation):
                return {"GET": partial(self._entry, invocation)}
            case ("request-history", invocation, name):
                return {"GET": partial(self._output, invocation, name)}
            case ("module_results", module, name):
                return {"GET": partial(self._module_file, None, module, name)}
            case ("module_results", deployment, module, name):
                return {"GET": partial(self._module_file, deployment, module, name)}
            case (deployment, "modules", module, function):
                run = partial(self._executions.run, deployment, module, function)
                look = partial(self._executions.look, deployment, module, function)
                return {"GET": run, "POST": run, "PUT": run, "HEAD": look}
            case (deployment, "modules", module, function, name):
                return {"GET": partial(self._function_file, deployment, module, function, name)}
        return None

    # Deployments

    async def _deployments(self, _: Request) -> Response:
        wanted = Interaction(Operation.READ_PROPERTY, self._servient_thing, "deployments")
        return Response.json(200, {"deployments": await self._door.perform(wanted)})

    async def _deploy(self, request: Request) -> Response:
        manifest = Content(await request.body())  # JSON, whatever the Content-Type says
        done = await self._own_action("deploy", manifest)
        return Response.json(200, {"status": "success", "deploymentId": done["deploymentId"]})

    async def _undeploy(self, deployment: str, _: Request) -> Response:
        await self._own_action("undeploy", {"deploymentId": deployment})
        return Response.json(200, {"status": "success"})

    async def _own_action(self, name: str, value: Value) -> Value:
        wanted = Interaction(Operation.INVOKE_ACTION, self._servient_thing, name, value)
        return await self._door.perform(wanted)

    # History

    async def _entries(self, request: Request) -> Response:
        return Response.json(200, [self._history.entry(request, each) for each in self._history])

    def _entry(self, invocation_id: str, request: Request) -> Response | Awaitable[Response]:
        invocation = self._history.find(invocation_id)
        if invocation.is_over:
            return self._to_entry(request, invocation)
        return self._await_entry(request, invocation)

    async def _await_entry(self, request: Request, invocation: Invocation) -> Response:
        if not await await_end(request, invocation, self._hold_seconds):
            return not_ready()
        return self._to_entry(request, invocation)

    def _to_entry(self, request: Request, invocation: Invocation) -> Response:
        entry = self._history.entry(request, invocation)
        return Response.json(500 if invocation.error else 200, entry)

    # Files

    async def _output(self, invocation_id: str, name: str, request: Request) -> Response:
        invocation = self._history.find(invocation_id)
        if not await await_end(request, invocation, self._hold_seconds):
            return not_ready()
        return file(await self._history.file(invocation, name))

    async def _function_file(
        self, deployment: str, module: str, function: str, name: str, _: Request
    ) -> Response:
        found = self._modules.find(deployment, module)
        self._servient.policy.require(Scope.READ, found.thing.name)
        return await self._newest_file([found], name, found.action(function))

    async def _module_file(
        self, deployment: str | None, module: str, name: str, _: Request
    ) -> Response:
        return await self._newest_file(self._modules.called(module, deployment), name)

    async def _newest_file(
        self, modules: list[DeployedModule], name: str, action: Affordance | None = None
    ) -> Response:
        things = {module.thing.name for module in modules}
        found = await self._history.newest_file(things, name, action.name if action else None)
        # What the history has forgotten, the Thing still has.
        values = [found, *(module.value_of(name, action) for module in modules)]
        for value in values:
            if isinstance(value, Content):
                return file(value)
        raise NotFound(f"there is no file {name[:200]!r}")


def _answering(
    policy: Policy, handler: Handler, request: Request
) -> Response | Awaitable[Response]:
    """The one place where an error becomes an answer in the orchestrators' shape."""
    try:
        policy.require_somebody()
        found = handler(request)
    except Unauthorized:
        raise  # the binding says which credentials are wanted
    except ServientError as error:
        return _refused(request, error)
    return found if isinstance(found, Response) else _awaiting(found, request)


async def _awaiting(found: Awaitable[Response], request: Request) -> Response:
    try:
        return await found
    except Unauthorized:
        raise
    except ServientError as error:
        return _refused(request, error)


def _refused(request: Request, error: ServientError) -> Response:
    logger.info("%s %s: %s", request.method, request.path, error.detail)
    return refusal(error)

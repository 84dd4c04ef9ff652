"""The fixed HTTP routes that a wasmiot orchestrator calls: views of Things and of invocations."""

import logging
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from servient.bindings.history import HistoryEntries, history_url
from servient.bindings.http.messages import Handler, Request, Response
from servient.errors import ServientError
from servient.wot.content import (
    OCTET_STREAM,
    Content,
    Value,
    essence,
    parse_json,
)
from servient.wot.door import Door, Interaction
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.schema import is_file
from servient.wot.servient import Servient

logger = logging.getLogger(__name__)

_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")


class OrchestratorRoutes:
    """An extension of the HTTP binding.

    `servient_thing` is the name of the servient's own Thing, through which deploying goes.
    Errors carry `status: "error"` and their sentence as `result` and as `error`, since the two kinds
    of orchestrators look at one or the other.
    """

    def __init__(self, servient: Servient, servient_thing: str) -> None:
        self._servient = servient
        self._servient_thing = servient_thing
        self._door = Door(servient)
        self._entries = HistoryEntries(servient)

    def find(self, segments: tuple[str, ...]) -> Mapping[str, Handler] | None:
        """The handlers of a path by method, None when the path is not one of these routes."""
        handlers: Mapping[str, Handler]
        match segments:
            case ("deploy",):
                handlers = {"GET": self._deployments, "POST": self._deploy}
            case ("deploy", deployment):
                handlers = {"DELETE": partial(self._undeploy, deployment)}
            case ("request-history",):
                handlers = {"GET": self._history}
            case ("request-history", invocation):
                handlers = {"GET": partial(self._history_entry, invocation)}
            case (deployment, "modules", module, function):
                execute = partial(self._execute, f"{deployment}:{module}", function)
                handlers = {"GET": execute, "POST": execute, "PUT": execute}
            case _:
                return None
        return {method: partial(_answering, handler) for method, handler in handlers.items()}

    # Deployments

    async def _deployments(self, _: Request) -> Response:
        wanted = Interaction(Operation.READ_PROPERTY, self._servient_thing, "deployments")
        return Response.json(200, {"deployments": await self._door.perform(wanted)})

    async def _deploy(self, request: Request) -> Response:
        manifest = Content(await request.body())  # JSON, whatever the Content-Type says
        done = await self._door.perform(self._own_action("deploy", manifest))
        return Response.json(200, {"status": "success", "deploymentId": done["deploymentId"]})

    async def _undeploy(self, deployment: str, _: Request) -> Response:
        await self._door.perform(self._own_action("undeploy", {"deploymentId": deployment}))
        return Response.json(200, {"status": "success"})

    def _own_action(self, name: str, value: Value) -> Interaction:
        return Interaction(Operation.INVOKE_ACTION, self._servient_thing, name, value)

    # Executions

    async def _execute(self, thing: str, function: str, request: Request) -> Response:
        """Run a function and answer when it is over, with the link to its history entry."""
        value = await self._input(thing, function, request)
        invocation = self._door.invoke(Interaction(Operation.INVOKE_ACTION, thing, function, value))
        url = history_url(request, invocation)
        try:
            await invocation.result()
        except ServientError as error:
            # 200: an orchestrator shows its user `error` of a success only, and follows the link.
            logger.info("%s failed: %s", invocation.id, error.detail)
            return Response.json(200, {"resultUrl": url, "status": "error", "error": error.detail})
        return Response.json(200, {"resultUrl": url, "result": self._entries.result(invocation)})

    async def _input(self, thing: str, function: str, request: Request) -> Value:
        """The action's input: parameters by name, files by field name or as the body itself.

        Orchestrators send a body that means nothing where no file is expected; it is not looked at.
        """
        action = self._servient.exposed(thing).description.find(AffordanceKind.ACTION, function)
        schemas: Mapping[str, Any] = action.definition.get("input", {}).get("properties", {})
        members = {
            name: _parsed(text, schemas[name]) for name, text in request.query if name in schemas
        }
        files = [name for name, schema in schemas.items() if is_file(schema)]
        if files and request.method != "GET":
            members |= await _files(files, request)
        return members or None

    # History

    async def _history(self, request: Request) -> Response:
        entries = [self._entries.entry(request, each) for each in self._entries.executions()]
        return Response.json(200, entries)

    async def _history_entry(self, invocation_id: str, request: Request) -> Response:
        invocation = self._servient.invocations.find(invocation_id)
        if not invocation.is_over:
            # "Not ready yet" must not have a truthy `error` (see the orchestrator's result loop).
            return Response.json(
                404, {"status": "error", "result": "the function is still running"}
            )
        entry = self._entries.entry(request, invocation)
        return Response.json(500 if invocation.error else 200, entry)


async def _answering(handler: Handler, request: Request) -> Response:
    """The one place where an error becomes an answer in the orchestrators' shape."""
    try:
        return await handler(request)
    except ServientError as error:
        logger.info("%s %s: %s", request.method, request.path, error.detail)
        body = {"status": "error", "result": error.detail, "error": error.detail}
        return Response.json(error.status, body)


def _parsed(text: str, schema: Mapping[str, Any]) -> Value:
    """A query parameter's value; text that does not fit its schema is left for validation to refuse."""
    match schema.get("type"):
        case "string":
            return text
        case "integer" if _INTEGER.fullmatch(text):
            return int(text)
        case "boolean" if text.lower() in ("true", "1"):
            return True
        case "boolean" if text.lower() in ("false", "0"):
            return False
    try:
        return parse_json(text)
    except ServientError:
        return text


async def _files(names: list[str], request: Request) -> dict[str, Value]:
    media_type = request.headers.get("content-type", "")
    if essence(media_type) == "multipart/form-data":
        form = await request.form()
        return {name: _to_content(form[name]) for name in names if name in form}
    body = await request.body()
    return {names[0]: Content(body, media_type or OCTET_STREAM)} if body and len(names) == 1 else {}


def _to_content(part: Content | str) -> Content:
    return part if isinstance(part, Content) else Content(part.encode(), "text/plain")

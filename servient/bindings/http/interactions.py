"""Properties and actions over HTTP: requests to interactions, values to responses."""

from collections.abc import Awaitable, Mapping
from typing import Any

from servient.bindings.http.action_statuses import accepted, wants_no_answer
from servient.bindings.http.form_data import is_form
from servient.bindings.http.messages import Handler, Request, Response
from servient.errors import InvalidInput
from servient.wot.content import JSON_MEDIA_TYPE, OCTET_STREAM, Content, Value, essence, parse_json
from servient.wot.description import Affordance
from servient.wot.door import Door, Interaction
from servient.wot.handler import Later
from servient.wot.invocation import Invocation
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.schema import is_file
from servient.wot.servient import Servient

# Most actions are over by then, and their clients need no watching.
PATIENCE_SECONDS = 1.0


class Interactions:
    """Routes of `/things/{thing}/properties/{name}` and `/things/{thing}/actions/{name}`."""

    def __init__(self, servient: Servient, door: Door) -> None:
        self._servient = servient
        self._door = door
        self._handlers: dict[str, Mapping[str, Handler]] = {
            "properties": {"GET": self._read, "PUT": self._write},
            "actions": {"POST": self._invoke},
        }

    def find(self, segments: tuple[str, ...]) -> Mapping[str, Handler] | None:
        match segments:
            case ("things", _, kind, _):
                return self._handlers.get(kind)
        return None

    def _read(self, request: Request) -> Response | Awaitable[Response]:
        _, thing, _, name = request.segments
        found = self._door.begin(Interaction(Operation.READ_PROPERTY, thing, name))
        if type(found) is Later:
            return self._read_later(request, found)
        # A value that is null is one: what has no value was refused.
        return Response.of(found, request.header("accept"))

    async def _read_later(self, request: Request, found: Later) -> Response:
        return Response.of(await found.work, request.header("accept"))

    async def _write(self, request: Request) -> Response:
        _, thing, _, name = request.segments
        value = await self._input(request, AffordanceKind.PROPERTY)
        await self._door.perform(Interaction(Operation.WRITE_PROPERTY, thing, name, value))
        return Response(204)

    def _invoke(self, request: Request) -> Response | Awaitable[Response]:
        self._servient.policy.require_somebody()  # before a stranger's body is read
        media_type = request.header("content-type")
        body = None if is_form(media_type) else request.ready_body()
        if body is None:
            return self._invoke_later(request)
        value = Content(body, media_type or JSON_MEDIA_TYPE) if body else None
        return self._start(request, value)

    async def _invoke_later(self, request: Request) -> Response:
        answer = self._start(request, await self._input(request, AffordanceKind.ACTION))
        return answer if isinstance(answer, Response) else await answer

    def _start(self, request: Request, value: Value) -> Response | Awaitable[Response]:
        _, thing, _, name = request.segments
        invocation = self._door.invoke(Interaction(Operation.INVOKE_ACTION, thing, name, value))
        is_preferred = wants_no_answer(request)
        affordance = self._servient.exposed(thing).description.find(AffordanceKind.ACTION, name)
        if is_preferred or not affordance.is_synchronous:
            return _acknowledge(invocation, is_preferred=is_preferred)
        output = invocation.begin_result()
        if type(output) is Later:
            return self._wait(request, affordance, output)
        return _to_answer(request, affordance, output)

    async def _wait(self, request: Request, affordance: Affordance, output: Later) -> Response:
        found = await request.unless_gone(output.work, PATIENCE_SECONDS)
        return _to_answer(request, affordance, found)

    async def _input(self, request: Request, kind: AffordanceKind) -> Value:
        self._servient.policy.require_somebody()  # before a stranger's body is read
        _, thing, _, name = request.segments
        media_type = request.header("content-type")
        if is_form(media_type):
            affordance = self._servient.exposed(thing).description.find(kind, name)
            return _from_form(await request.form(), affordance)
        body = await request.body()
        return Content(body, media_type or JSON_MEDIA_TYPE) if body else None


async def _acknowledge(invocation: Invocation, *, is_preferred: bool) -> Response:
    await invocation.recorded()
    return accepted(invocation, is_preferred=is_preferred)


def _to_answer(request: Request, affordance: Affordance, output: Value) -> Response:
    if output is None and "output" not in affordance.definition:
        return Response(204)
    return Response.of(output, request.header("accept"))


def _from_form(fields: dict[str, Content | str], affordance: Affordance) -> dict[str, Value]:
    """The members of an input, each from a field of the form, as the affordance's schema says."""
    document = affordance.input.document if affordance.input else {}
    schemas = document.get("properties", {})
    return {name: _member(part, schemas.get(name, {})) for name, part in fields.items()}


def _member(part: Content | str, schema: Mapping[str, Any]) -> Value:
    if is_file(schema):
        if isinstance(part, Content) and essence(part.media_type) != OCTET_STREAM:
            return part
        body = part.body if isinstance(part, Content) else part.encode()
        return Content(body, schema.get("contentMediaType", OCTET_STREAM))
    if isinstance(part, Content):
        return parse_json(part.body) if part.is_json else _text(part)
    # A field of a form is text; what is meant by it, the schema says.
    return part if schema.get("type") == "string" else _parsed(part)


def _text(part: Content) -> str:
    """A part that says text/plain, or a file where the schema has none."""
    try:
        return part.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"a field of type {part.media_type[:100]} is not text") from error


def _parsed(text: str) -> Value:
    try:
        return parse_json(text)
    except InvalidInput:
        return text  # validation says what is wrong with it

"""Properties of a Thing all at once, and the invocations of its actions."""

from aiocoap.numbers.codes import CHANGED, CONTENT, CREATED, DELETE, DELETED, GET, PUT

from servient.bindings.coap.answers import Answer, to_answer
from servient.bindings.coap.content_formats import JSON, to_media_type
from servient.bindings.coap.incoming import Asked
from servient.bindings.paths import THINGS, invocation_path, invocation_segments
from servient.errors import OperationNotAllowed
from servient.wot.action_status import to_full_status, to_status
from servient.wot.content import Content, Value, to_json
from servient.wot.door import Door
from servient.wot.invocation import Invocation
from servient.wot.operations import AffordanceKind


class WholeThings:
    """What is at `/things/{thing}/properties` and `/things/{thing}/actions/{name}/{number}`."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def answer(self, request: Asked, body: bytes) -> Answer | None:
        """None when the path is not one of these. Raises ServientError."""
        match request.options.path:
            case (head, thing, AffordanceKind.PROPERTY) if head == THINGS:
                return await self._properties(request, thing, body)
            case (head, thing, AffordanceKind.ACTION, action, number) if head == THINGS:
                return await self._invocation(request, thing, action, number)
        return None

    async def _properties(self, request: Asked, thing: str, body: bytes) -> Answer:
        if request.code is GET:
            values = await self._door.read_properties(thing)
            return to_answer(values, CONTENT, request.options.accept, max_age_seconds=0)
        if request.code is PUT:
            media_type = to_media_type(request.options.content_format)
            await self._door.write_properties(thing, Content(body, media_type))
            return Answer(CHANGED)
        raise OperationNotAllowed(f"the properties of a Thing do not take {request.code}")

    async def _invocation(self, request: Asked, thing: str, action: str, number: str) -> Answer:
        if request.code is GET:
            invocation = self._door.invocation(thing, action, number)
            return _answer(await to_full_status(invocation, invocation_path(invocation)), CONTENT)
        if request.code is DELETE:
            self._door.cancel(thing, action, number)
            return Answer(DELETED)
        self._door.invocation(thing, action, number)
        raise OperationNotAllowed(f"an invocation does not take {request.code}")


def created(invocation: Invocation) -> Answer:
    """The answer to an invocation that nobody waits for: where to ask how it goes."""
    status = to_status(invocation, invocation_path(invocation))
    return _answer(status, CREATED, location=invocation_segments(invocation))


def _answer(status: Value, code: object, location: tuple[str, ...] = ()) -> Answer:
    return Answer(code, to_json(status), JSON, location, max_age_seconds=0)

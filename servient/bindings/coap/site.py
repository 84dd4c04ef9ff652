"""From a request to its answer: what stands at which path, looked up anew each time."""

import logging
from functools import partial
from typing import NamedTuple

from aiocoap import Message
from aiocoap.numbers.codes import CHANGED, CONTENT, CONTINUE, GET, POST, PUT

from servient.bindings.coap.answers import Answer, error_answer, require_acceptable, to_answer
from servient.bindings.coap.blocks import BLOCK_BYTES, Downloads, Uploads
from servient.bindings.coap.content_formats import to_media_type
from servient.bindings.coap.descriptions import Descriptions
from servient.bindings.coap.endpoint import Exchange
from servient.bindings.coap.incoming import Asked, Incoming
from servient.bindings.coap.observation import DEREGISTER, REGISTER, Observations
from servient.bindings.coap.plain import Work
from servient.bindings.coap.plain_request import PlainRequest
from servient.bindings.coap.refusals import BadOption
from servient.bindings.coap.whole_things import WholeThings, created
from servient.bindings.paths import THINGS
from servient.errors import OperationNotAllowed, ServientError
from servient.wot.content import Content, Value
from servient.wot.description import Affordance
from servient.wot.door import Door, Interaction
from servient.wot.handler import Later
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.servient import Servient
from servient.wot.tracing import TRACEPARENT

logger = logging.getLogger(__name__)

_KINDS = {kind.value: kind for kind in AffordanceKind}
_OPERATIONS = {
    (AffordanceKind.PROPERTY, GET): Operation.READ_PROPERTY,
    (AffordanceKind.PROPERTY, PUT): Operation.WRITE_PROPERTY,
    (AffordanceKind.ACTION, POST): Operation.INVOKE_ACTION,
    (AffordanceKind.EVENT, GET): Operation.SUBSCRIBE_EVENT,
}
_OBSERVING = frozenset({Operation.OBSERVE_PROPERTY, Operation.SUBSCRIBE_EVENT})


_FAILED = ServientError("the servient failed; its log says why")


class Site:
    """All resources of a servient. Nothing is registered in it when a Thing is exposed."""

    def __init__(
        self, servient: Servient, directory_thing: str | None, body_limit_bytes: int
    ) -> None:
        self._servient = servient
        self._door = Door(servient, "coap")
        self._descriptions = Descriptions(servient, directory_thing)
        self._whole_things = WholeThings(self._door)
        self._uploads = Uploads(body_limit_bytes)
        self._downloads = Downloads(body_limit_bytes)
        self.observations = Observations(self._door, self._downloads)

    def end(self) -> None:
        """No more notifications: observers are told."""
        self.observations.end()

    def close(self) -> None:
        """Forget unfinished transfers."""
        self._uploads.clear()
        self._downloads.clear()

    async def respond(self, exchange: Exchange) -> None:
        """Answer one request, or notify on its behalf until that ends. Never raises."""
        request = exchange.request
        try:
            message = await self._serve(exchange)
        except ServientError as error:
            message = self._refuse(request, error)
        except Exception:  # a bug, of ours or of a property's handler; the next request is served
            logger.exception("%s failed", _named(request))
            message = self._refuse(request, _FAILED)
        exchange.answer(message)

    def begin(self, request: PlainRequest) -> Answer | Message | Work:
        """Like `respond`, for a request of one answer: it, or where that takes waiting, the work."""
        token = TRACEPARENT.set(request.options.traceparent)
        try:
            body = self._uploads.take(request) or b""
            wanted = self._wanted(request, body)
            if wanted is None or _is_told(request, wanted.affordance):
                later = Later(self._answer(request, body))
                return Work(later, partial(self._finish, request, later))
            value = self._door.begin(wanted.interaction)
            if type(value) is Later:
                return Work(value, partial(self._finish, request, value))
            answer = _to_answer(request, value)
        except ServientError as error:
            answer = _refusal(request, error)
        except Exception:  # a bug, of ours or of a property's handler; the next request is served
            logger.exception("%s failed", _named(request))
            answer = _refusal(request, _FAILED)
        finally:
            TRACEPARENT.reset(token)
        return self._fitting(request, answer)

    async def _finish(self, request: PlainRequest, later: Later) -> Answer | Message:
        TRACEPARENT.set(request.options.traceparent)
        try:
            value = await later.work
            answer = value if isinstance(value, Answer) else _to_answer(request, value)
        except ServientError as error:
            answer = _refusal(request, error)
        except Exception:  # as above
            logger.exception("%s failed", _named(request))
            answer = _refusal(request, _FAILED)
        return self._fitting(request, answer)

    def _fitting(self, request: PlainRequest, answer: Answer) -> Answer | Message:
        block = request.options.block2
        if len(answer.body) <= (block.size if block else BLOCK_BYTES):
            return answer
        return self._downloads.begin(request, answer)[0]

    def _refuse(self, request: Incoming, error: ServientError) -> Message:
        answer = _refusal(request, error)
        if request.options.block2 and request.options.block2.number:
            return answer.message()  # of another answer was a later block wanted
        return self._downloads.begin(request, answer)[0]

    async def _serve(self, exchange: Exchange) -> Message:
        request = exchange.request
        if request.options.fault is not None:
            raise request.options.fault
        if request.options.oscore is not None:
            raise BadOption("there is no security context for option 9 (OSCORE)")
        TRACEPARENT.set(request.options.traceparent)
        if (part := self._downloads.resume(request)) is not None:
            return part
        body = self._uploads.take(request)
        if body is None:
            return _confirm_block(request, Message(code=CONTINUE))
        answer = await self._answer(request, body, exchange)
        message, _ = self._downloads.begin(request, answer)
        return _confirm_block(request, message)

    async def _answer(
        self, request: Asked, body: bytes, exchange: Exchange | None = None
    ) -> Answer:
        """Without an exchange, for a request that observes nothing."""
        wanted = self._wanted(request, body)
        if wanted is None:
            whole = await self._whole_things.answer(request, body)
            return whole or self._descriptions.answer(request)
        interaction = wanted.interaction
        if interaction.operation in _OBSERVING and exchange is not None:
            await self.observations.run(exchange, interaction)
        if interaction.operation is Operation.UNSUBSCRIBE_EVENT:
            return Answer(CONTENT)  # the end came with the token, before this was asked
        if _is_told(request, wanted.affordance):
            invocation = self._door.invoke(interaction)
            await invocation.recorded()
            return created(invocation)
        return _to_answer(request, await self._door.perform(interaction))

    def _wanted(self, request: Asked, body: bytes) -> "_Wanted | None":
        """None for what is about no single affordance. Raises ServientError."""
        match request.options.path:
            case (head, thing, kind, name) if head == THINGS and kind in _KINDS:
                self._servient.policy.require_somebody()
                affordance = self._servient.exposed(thing).description.find(_KINDS[kind], name)
                operation = _operation(request, affordance)
                value = _to_input(request, body)
                return _Wanted(Interaction(operation, thing, name, value), affordance)
        return None


class _Wanted(NamedTuple):
    interaction: Interaction
    affordance: Affordance


def _is_told(request: Asked, affordance: Affordance) -> bool:
    """Whether who invokes an action is told where it is to be asked for."""
    return request.code is POST and not affordance.is_synchronous


def _to_answer(request: Asked, value: Value) -> Answer:
    if request.code is POST:
        return to_answer(value, CHANGED, request.options.accept)
    if request.code is GET:
        return to_answer(value, CONTENT, request.options.accept, max_age_seconds=0)
    return Answer(CHANGED)


def _named(request: Asked) -> str:
    return f"{request.code} /{'/'.join(request.options.path)}"


def _refusal(request: Asked, error: ServientError) -> Answer:
    logger.debug("%s: %s", _named(request), error)
    return error_answer(error, request.options.path)


def _operation(request: Asked, affordance: Affordance) -> Operation:
    """What a request asks of an affordance. Raises OperationNotAllowed and NotAcceptable."""
    operation = _OPERATIONS.get((affordance.kind, request.code))
    if operation is None:
        noun, name = affordance.kind.noun, affordance.name
        raise OperationNotAllowed(f"{noun} {name!r} does not take {request.code}")
    if operation is not Operation.WRITE_PROPERTY:
        require_acceptable(affordance.media_type, request.options.accept)
    observe = request.options.observe
    if operation is Operation.SUBSCRIBE_EVENT and observe != REGISTER:
        if observe != DEREGISTER:
            raise OperationNotAllowed("an event is subscribed to with the option Observe")
        return Operation.UNSUBSCRIBE_EVENT
    is_observable = Operation.OBSERVE_PROPERTY in affordance.operations
    if operation is Operation.READ_PROPERTY and observe == REGISTER and is_observable:
        return Operation.OBSERVE_PROPERTY
    return operation


def _to_input(request: Asked, body: bytes) -> Content | None:
    content_format = request.options.content_format
    if request.code is GET or (not body and content_format is None):
        return None
    return Content(body, to_media_type(content_format))


def _confirm_block(request: Incoming, message: Message) -> Message:
    """Say which block of the request this is the response to (RFC 7959 section 2.3)."""
    if (block := request.options.block1) is not None:
        message.opt.block1 = block
    return message

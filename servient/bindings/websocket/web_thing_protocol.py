"""The dialect of the subprotocol `webthingprotocol`, W3C's Web Thing Protocol.

Draft of the community group: https://w3c.github.io/web-thing-protocol/
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from servient.bindings.websocket.dialect import (
    Command,
    Dialect,
    InvalidMessage,
    Perform,
    Rejected,
    Request,
    Subscribe,
    UnknownOperation,
    Unsubscribe,
    invalid_member,
    parse_object,
    text_member,
    value_member,
)
from servient.errors import NotFound, OperationNotAllowed, ServientError, problem
from servient.wot.content import Value, to_json
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.subscription import Notification

SUBPROTOCOL = "webthingprotocol"

# Operations of the draft that address the Thing as a whole, or an invocation.
OTHER_OPERATIONS = frozenset(
    {
        "readallproperties",
        "readmultipleproperties",
        "writeallproperties",
        "writemultipleproperties",
        "observeallproperties",
        "unobserveallproperties",
        "queryaction",
        "queryallactions",
        "cancelaction",
        "subscribeallevents",
        "unsubscribeallevents",
    }
)


@dataclass(frozen=True, slots=True)
class Conversation:
    """The members that all messages of one operation share."""

    thing_id: str
    operation: str | None = None
    name: str | None = None
    correlation_id: str | None = None


WtpRequest: TypeAlias = Request[Conversation]


class WebThingProtocol(Dialect[Conversation]):
    """Requests, responses and notifications, each naming its Thing, operation and affordance.

    One subscription per affordance and connection: a second request replaces the first.
    """

    def parse(self, text: str) -> WtpRequest:
        conversation = Conversation(self.thing_id or self.href)
        try:
            document = parse_object(text)
            conversation = self._conversation(document)
            _check(document, self.thing_id)
            return Request(_command(document), conversation)
        except ServientError as error:
            raise Rejected(error, conversation) from error

    def answer(self, request: WtpRequest, value: Value) -> bytes | None:
        match request.command:
            case Perform(operation=Operation.READ_PROPERTY):
                outcome = {"value": value}
            case Perform(operation=Operation.INVOKE_ACTION) if value is not None:
                outcome = {"output": value}
            case _:
                outcome = {}
        return _message("response", request.correlation, outcome, datetime.now(UTC))

    def refusal(self, correlation: Conversation, error: ServientError) -> bytes | None:
        return _message("response", correlation, {"error": problem(error)}, datetime.now(UTC))

    def notification(self, request: WtpRequest, notification: Notification) -> bytes:
        member = "value" if notification.kind is AffordanceKind.PROPERTY else "data"
        payload = {member: notification.value}
        return _message("notification", request.correlation, payload, notification.time)

    def ending(self, request: WtpRequest, error: ServientError) -> bytes | None:
        return None  # the draft has no such message; the close code says it

    def _conversation(self, document: dict[str, Any]) -> Conversation:
        """What can be read of a message for answers to repeat, whatever is wrong with the rest.

        A request without a correlationID is correlated by its own messageID.
        """
        return Conversation(
            self.thing_id or _readable(document, "thingID") or self.href,
            _readable(document, "operation"),
            _readable(document, "name"),
            _readable(document, "correlationID") or _readable(document, "messageID"),
        )


def _check(document: dict[str, Any], thing_id: str | None) -> None:
    if document.get("messageType") != "request":
        raise invalid_member("messageType", "is not 'request'")
    text_member(document, "messageID")
    if "correlationID" in document:
        text_member(document, "correlationID")
    given = text_member(document, "thingID")
    if thing_id is not None and given != thing_id:
        raise NotFound(f"this is the Thing {thing_id!r}, not {given!r}")


def _readable(document: dict[str, Any], member: str) -> str | None:
    try:
        return text_member(document, member)
    except InvalidMessage:
        return None


def _command(document: dict[str, Any]) -> Command:
    operation = _operation(text_member(document, "operation"))
    name = text_member(document, "name")
    match operation:
        case Operation.READ_PROPERTY:
            return Perform(operation, name)
        case Operation.WRITE_PROPERTY:
            return Perform(operation, name, value_member(document, "value"))
        case Operation.INVOKE_ACTION:
            return Perform(operation, name, document.get("input"))
        case Operation.OBSERVE_PROPERTY:
            return Subscribe((AffordanceKind.PROPERTY, name), operation, name)
        case Operation.SUBSCRIBE_EVENT:
            return Subscribe((AffordanceKind.EVENT, name), operation, name)
        case Operation.UNOBSERVE_PROPERTY:
            return Unsubscribe((AffordanceKind.PROPERTY, name))
        case Operation.UNSUBSCRIBE_EVENT:
            return Unsubscribe((AffordanceKind.EVENT, name))
        case _:
            raise _not_offered(operation)


def _operation(text: str) -> Operation:
    if text in OTHER_OPERATIONS:
        raise _not_offered(text)
    try:
        return Operation(text)
    except ValueError as error:
        raise UnknownOperation(f"there is no operation {text[:100]!r}") from error


def _not_offered(operation: str) -> OperationNotAllowed:
    return OperationNotAllowed(f"this servient does not offer {operation} over WebSockets")


def _message(
    message_type: str, conversation: Conversation, payload: dict[str, Value], time: datetime
) -> bytes:
    message: dict[str, Value] = {
        "thingID": conversation.thing_id,
        "messageID": str(uuid.uuid4()),
        "messageType": message_type,
    }
    if conversation.operation is not None:
        message["operation"] = conversation.operation
    if conversation.name is not None:
        message["name"] = conversation.name
    if conversation.correlation_id is not None:
        message["correlationID"] = conversation.correlation_id
    return to_json({**message, **payload, "timestamp": time.isoformat().replace("+00:00", "Z")})

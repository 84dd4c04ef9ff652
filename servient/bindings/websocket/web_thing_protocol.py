"""The dialect of the subprotocol `webthingprotocol`, W3C's Web Thing Protocol.

Draft of the community group: https://w3c.github.io/web-thing-protocol/
"""

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeAlias

from servient.bindings.websocket.dialect import (
    IDENTIFIER_LIMIT_CHARACTERS,
    Ask,
    Command,
    Dialect,
    Perform,
    PerformOnAll,
    Rejected,
    Request,
    Subscribe,
    Told,
    UnknownOperation,
    Unsubscribe,
    invalid_member,
    parse_object,
    text_member,
    value_member,
)
from servient.errors import NotFound, ServientError, problem
from servient.wot.content import Value, to_json
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.subscription import Notification

SUBPROTOCOL = "webthingprotocol"

# Keys of the subscriptions to all of a kind.
_ALL = {
    Operation.OBSERVE_ALL_PROPERTIES: AffordanceKind.PROPERTY,
    Operation.UNOBSERVE_ALL_PROPERTIES: AffordanceKind.PROPERTY,
    Operation.SUBSCRIBE_ALL_EVENTS: AffordanceKind.EVENT,
    Operation.UNSUBSCRIBE_ALL_EVENTS: AffordanceKind.EVENT,
}
NAMES_LIMIT = 1024
# Of a UUID, those that are neither its version nor its variant, and these.
_RANDOM_BITS = (1 << 128) - 1 & ~(0xF << 76) & ~(0x3 << 62)
_VERSION_4 = 0x4 << 76 | 0x2 << 62


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
        outcome: dict[str, Value] = {}
        match request.command:
            case Ask() | Perform() if isinstance(value, Told):
                outcome = {"actionID": value.number, "status": value.status}
            case Perform(operation=Operation.READ_PROPERTY):
                outcome = {"value": value}
            case Perform(operation=Operation.INVOKE_ACTION) if value is not None:
                outcome = {"output": value}
            case PerformOnAll(operation=Operation.QUERY_ALL_ACTIONS):
                outcome = {"statuses": value}
            case PerformOnAll() if value is not None:
                outcome = {"values": value}
        return _message("response", request.correlation, outcome, datetime.now(UTC))

    def refusal(self, correlation: Conversation, error: ServientError) -> bytes | None:
        return _message("response", correlation, {"error": problem(error)}, datetime.now(UTC))

    def notification(self, request: WtpRequest, notification: Notification) -> bytes:
        member = "value" if notification.kind is AffordanceKind.PROPERTY else "data"
        payload = {member: notification.value}
        conversation = replace(request.correlation, name=notification.name)
        return _message("notification", conversation, payload, notification.time)

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
    """What `text_member` would give."""
    value = document.get(member)
    is_name = isinstance(value, str) and 0 < len(value) <= IDENTIFIER_LIMIT_CHARACTERS
    return value if is_name else None


def _command(document: dict[str, Any]) -> Command:
    operation = _operation(text_member(document, "operation"))
    if (kind := _ALL.get(operation)) is not None:
        key = (kind, "")
        begins = operation in (Operation.OBSERVE_ALL_PROPERTIES, Operation.SUBSCRIBE_ALL_EVENTS)
        return Subscribe(key, operation, "") if begins else Unsubscribe(key)
    match operation:
        case Operation.READ_ALL_PROPERTIES | Operation.QUERY_ALL_ACTIONS:
            return PerformOnAll(operation)
        case Operation.READ_MULTIPLE_PROPERTIES:
            return PerformOnAll(operation, names=_names(document))
        case Operation.WRITE_MULTIPLE_PROPERTIES:
            return PerformOnAll(operation, values=value_member(document, "values"))
    return _command_on_one(document, operation, text_member(document, "name"))


def _command_on_one(document: dict[str, Any], operation: Operation, name: str) -> Command:
    match operation:
        case Operation.WRITE_PROPERTY:
            return Perform(operation, name, value_member(document, "value"))
        case Operation.INVOKE_ACTION:
            return Perform(operation, name, document.get("input"), is_told=True)
        case Operation.QUERY_ACTION | Operation.CANCEL_ACTION:
            return Ask(operation, name, text_member(document, "actionID"))
        case Operation.OBSERVE_PROPERTY:
            return Subscribe((AffordanceKind.PROPERTY, name), operation, name)
        case Operation.SUBSCRIBE_EVENT:
            return Subscribe((AffordanceKind.EVENT, name), operation, name)
        case Operation.UNOBSERVE_PROPERTY:
            return Unsubscribe((AffordanceKind.PROPERTY, name))
        case Operation.UNSUBSCRIBE_EVENT:
            return Unsubscribe((AffordanceKind.EVENT, name))
        case _:
            return Perform(operation, name)


def _names(document: dict[str, Any]) -> tuple[str, ...]:
    names = document.get("names")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise invalid_member("names", "is not an array of strings")
    if len(names) > NAMES_LIMIT:
        raise invalid_member("names", f"has more than {NAMES_LIMIT} members")
    return tuple(names)


def _operation(text: str) -> Operation:
    # Writing all properties is writing as many as there are.
    if text == "writeallproperties":
        return Operation.WRITE_MULTIPLE_PROPERTIES
    try:
        return Operation(text)
    except ValueError as error:
        raise UnknownOperation(f"there is no operation {text[:100]!r}") from error


def _message(
    message_type: str, conversation: Conversation, payload: dict[str, Value], time: datetime
) -> bytes:
    """A JSON object, put together from what nearly all messages share and what is new in this one."""
    about, correlation_id = conversation, conversation.correlation_id
    parts = [
        _head(message_type, about.thing_id, about.operation, about.name),
        b',"messageID":"',
        _new_id().encode(),
        b'"',
    ]
    if correlation_id is not None:
        parts += (b',"correlationID":', to_json(correlation_id))
    for name, value in payload.items():
        parts += (b',"', name.encode(), b'":', to_json(value))
    stamp = time.isoformat().replace("+00:00", "Z")
    parts += (b',"timestamp":"', stamp.encode(), b'"}')
    return b"".join(parts)


# Bounded, and a function of what it is given alone; names are no longer than messages may have them.
@lru_cache(1024)
def _head(message_type: str, thing_id: str, operation: str | None, name: str | None) -> bytes:
    members: dict[str, Value] = {"thingID": thing_id, "messageType": message_type}
    if operation is not None:
        members["operation"] = operation
    if name is not None:
        members["name"] = name
    return to_json(members)[:-1]


def _new_id() -> str:
    """A UUID of version 4 (RFC 9562 section 5.4)."""
    bits = int.from_bytes(os.urandom(16))
    number = bits & _RANDOM_BITS | _VERSION_4
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

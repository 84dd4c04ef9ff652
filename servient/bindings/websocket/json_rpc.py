"""WoTPy's dialect, spoken without a subprotocol: JSON-RPC 2.0 and emitted items.

Wire-compatible with WoTPy 0.18 (`wotpy.protocols.ws.schemas`); specification of the envelope:
https://www.jsonrpc.org/specification
"""

import uuid
from dataclasses import dataclass
from typing import Any, TypeAlias

from wotpy.wot.enums import DefaultThingEvent

from servient.bindings.websocket.dialect import (
    IDENTIFIER_LIMIT_CHARACTERS,
    Command,
    Dialect,
    InvalidMessage,
    MalformedMessage,
    Perform,
    Rejected,
    Request,
    Subscribe,
    UnknownOperation,
    Unsubscribe,
    Watch,
    invalid_member,
    parse_object,
    text_member,
)
from servient.errors import InvalidInput, ServientError, problem
from servient.wot import tracing
from servient.wot.content import Value, to_json
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.subscription import Notification

VERSION = "2.0"

INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
SUBSCRIPTION_ERROR = -32000


class InvalidParams(InvalidInput):
    """The parameters of a method lack one, or have one of a wrong type."""

    title = "Invalid parameters"


CODES: dict[type[ServientError], int] = {
    MalformedMessage: -32700,
    InvalidMessage: -32600,
    UnknownOperation: -32601,
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who waits for an answer. A request without the member `id` wants none (section 4.1)."""

    id: str | int | None = None
    wants_answer: bool = True


RpcRequest: TypeAlias = Request[Caller]


class JsonRpc(Dialect[Caller]):
    """Requests and responses of JSON-RPC 2.0; a subscription is an id that emitted items repeat."""

    def parse(self, text: str) -> RpcRequest:
        caller = Caller()
        try:
            document = parse_object(text)
            caller = _caller(document)
            method, params = _envelope(document)
        except InvalidInput as error:
            # Told to everybody: whether the sender wants an answer may be what is wrong (section 5).
            raise Rejected(error, Caller(caller.id)) from error
        try:
            return Request(_command(method, params, caller), caller, _trace(document))
        except InvalidInput as error:
            raise Rejected(error, caller) from error

    def answer(self, request: RpcRequest, value: Value) -> bytes | None:
        match request.command:
            case Subscribe(key=key) | Watch(key=key):
                result: Value = key
            case Unsubscribe(key=key):
                result = key if value else None
            case Perform():
                result = value
        return _response(request.correlation, "result", result)

    def refusal(self, correlation: Caller, error: ServientError) -> bytes | None:
        default = INVALID_PARAMS if error.status < 500 else INTERNAL_ERROR
        code = CODES.get(type(error), default)
        return _response(correlation, "error", _error(code, error, problem(error)))

    def notification(self, request: RpcRequest, notification: Notification) -> bytes:
        name, data = notification.name, notification.value
        if notification.kind is AffordanceKind.PROPERTY:
            name, data = DefaultThingEvent.PROPERTY_CHANGE, {"name": name, "value": data}
        return to_json({"subscription": _key(request.command), "name": name, "data": data})

    def ending(self, request: RpcRequest, error: ServientError) -> bytes | None:
        data = {"subscription": _key(request.command), **problem(error)}
        return _response(Caller(), "error", _error(SUBSCRIPTION_ERROR, error, data))


def _caller(document: dict[str, Any]) -> Caller:
    if "id" not in document:
        return Caller(wants_answer=False)
    identifier = document["id"]
    if isinstance(identifier, bool) or not isinstance(identifier, str | int | None):
        raise invalid_member("id", "is neither a string nor an integer nor null")
    if isinstance(identifier, str) and len(identifier) > IDENTIFIER_LIMIT_CHARACTERS:
        raise invalid_member("id", f"is longer than {IDENTIFIER_LIMIT_CHARACTERS} characters")
    return Caller(identifier)


def _trace(document: dict[str, Any]) -> str:
    """A member of ours beside those of JSON-RPC."""
    text = document.get(tracing.NAME)
    return tracing.parse_traceparent(text) if isinstance(text, str) else ""


def _envelope(document: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if document.get("jsonrpc") != VERSION:
        raise invalid_member("jsonrpc", f"is not {VERSION!r}")
    params = document.get("params", {})
    if not isinstance(params, dict):
        raise invalid_member("params", "is not an object")
    return text_member(document, "method"), params


def _command(method: str, params: dict[str, Any], caller: Caller) -> Command:
    match method:
        case "read_property":
            return Perform(Operation.READ_PROPERTY, _param(params, "name"))
        case "write_property":
            name = _param(params, "name")
            if "value" not in params:
                raise InvalidParams("value is missing")
            return Perform(Operation.WRITE_PROPERTY, name, params["value"])
        case "invoke_action":
            name = _param(params, "name")
            return Perform(Operation.INVOKE_ACTION, name, params.get("parameters"))
        case "on_property_change":
            name = _param(params, "name")
            return Subscribe(_new_key(caller), Operation.OBSERVE_PROPERTY, name)
        case "on_event":
            name = _param(params, "name")
            return Subscribe(_new_key(caller), Operation.SUBSCRIBE_EVENT, name)
        case "on_td_change":
            return Watch(_new_key(caller))
        case "dispose":
            return Unsubscribe(_param(params, "subscription"))
    raise UnknownOperation(f"there is no method {method[:100]!r}")


def _param(params: dict[str, Any], name: str) -> str:
    try:
        return text_member(params, name)
    except InvalidMessage as error:
        raise InvalidParams(error.detail) from error


def _new_key(caller: Caller) -> str:
    if not caller.wants_answer:
        raise InvalidParams("a subscription without an id in its request would have no name")
    return str(uuid.uuid4())


def _key(command: Command) -> Any:
    match command:
        case Subscribe(key=key) | Watch(key=key):
            return key
    raise TypeError(f"{type(command).__name__} is not a subscription")


def _error(code: int, error: ServientError, data: dict[str, Any]) -> dict[str, Any]:
    return {"code": code, "message": error.detail, "data": data}


def _response(caller: Caller, member: str, value: Value) -> bytes | None:
    if not caller.wants_answer:
        return None
    return to_json({"jsonrpc": VERSION, member: value, "id": caller.id})

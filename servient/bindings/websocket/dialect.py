"""What a dialect of messages has to offer, and what its requests become."""

from abc import ABC, abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from servient.errors import InvalidInput, ServientError
from servient.wot.content import Value, parse_json
from servient.wot.operations import Operation
from servient.wot.subscription import Notification

IDENTIFIER_LIMIT_CHARACTERS = 256


class MalformedMessage(InvalidInput):
    """A message is not a JSON text."""

    title = "Malformed message"


class InvalidMessage(InvalidInput):
    """A message lacks a member, or has one of a wrong type."""

    title = "Invalid message"


class UnknownOperation(InvalidInput):
    """A message asks for something that its dialect does not know."""

    title = "Unknown operation"


@dataclass(frozen=True, slots=True)
class Perform:
    """An operation on one affordance that has one answer.

    `is_told` says that who invokes an action that is not synchronous is told its status.
    """

    operation: Operation
    name: str
    input: Value = None
    is_told: bool = False


@dataclass(frozen=True, slots=True)
class PerformOnAll:
    """An operation on the Thing as a whole, or on those of its properties that are named."""

    operation: Operation
    names: tuple[str, ...] | None = None
    values: Value = None


@dataclass(frozen=True, slots=True)
class Ask:
    """An operation on one invocation of the action `name`."""

    operation: Operation
    name: str
    number: str


@dataclass(frozen=True, slots=True)
class Told:
    """What an operation tells of an invocation, in the place of an output."""

    number: str
    status: Value


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Notifications of one affordance, until `key` is unsubscribed."""

    key: Hashable
    operation: Operation
    name: str


@dataclass(frozen=True, slots=True)
class Watch:
    """Notifications of changes to the Thing's description, until `key` is unsubscribed."""

    key: Hashable


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    key: Hashable


Answered: TypeAlias = Perform | PerformOnAll | Ask
Command: TypeAlias = Answered | Subscribe | Watch | Unsubscribe

Correlation = TypeVar("Correlation")


@dataclass(frozen=True, slots=True)
class Request(Generic[Correlation]):
    """A parsed message. `correlation` is what every message about it repeats."""

    command: Command
    correlation: Correlation
    traceparent: str = ""


class Rejected(Exception):
    """A message that is no request, and why; `correlation` holds what could be read of it."""

    def __init__(self, error: ServientError, correlation: Any) -> None:
        super().__init__(error.detail)
        self.error = error
        self.correlation = correlation


class Dialect(ABC, Generic[Correlation]):
    """Turns messages into requests, and what becomes of them into messages. Without state."""

    def __init__(self, thing_id: str | None, href: str) -> None:
        """`thing_id` is the Thing's id, where it has one; `href` is where it is served."""
        self.thing_id = thing_id
        self.href = href

    @abstractmethod
    def parse(self, text: str) -> Request[Correlation]:
        """Raises Rejected, and nothing else."""

    @abstractmethod
    def answer(self, request: Request[Correlation], value: Value) -> bytes | None:
        """The outcome of a request; None when its sender wants none.

        Raises ServientError when the value cannot be written as JSON, as `notification` does.
        """

    @abstractmethod
    def refusal(self, correlation: Correlation, error: ServientError) -> bytes | None:
        """Why a request fails; None when its sender wants no answer."""

    @abstractmethod
    def notification(self, request: Request[Correlation], notification: Notification) -> bytes:
        """What happened to the affordance that `request` subscribed to."""

    @abstractmethod
    def ending(self, request: Request[Correlation], error: ServientError) -> bytes | None:
        """The last word to a subscriber whose Thing is gone; None when the dialect has no such word."""


def parse_object(text: str) -> dict[str, Any]:
    """The JSON object of a message. Raises MalformedMessage or InvalidMessage."""
    try:
        document = parse_json(text)
    except InvalidInput as error:
        raise MalformedMessage(error.detail.replace("the body", "the message", 1)) from error
    if not isinstance(document, dict):
        raise InvalidMessage("a message is a JSON object")
    return document


def text_member(document: dict[str, Any], name: str) -> str:
    """A mandatory string that names something. Raises InvalidMessage."""
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise invalid_member(name, "is missing" if value is None else "is not a non-empty string")
    if len(value) > IDENTIFIER_LIMIT_CHARACTERS:
        raise invalid_member(name, f"is longer than {IDENTIFIER_LIMIT_CHARACTERS} characters")
    return value


def value_member(document: dict[str, Any], name: str) -> Value:
    """A mandatory member of any type. Raises InvalidMessage."""
    if name not in document:
        raise invalid_member(name, "is missing")
    return document[name]


def invalid_member(name: str, complaint: str) -> InvalidMessage:
    """The error for one member of a message."""
    return InvalidMessage(f"{name} {complaint}", [{"pointer": f"/{name}", "detail": complaint}])

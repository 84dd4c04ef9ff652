"""What is asked of a server, and what it has to answer."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class HttpTarget:
    """Each response has `expected` in its body; with `follows`, so has the entry that it links to."""

    url: str
    expected: str
    method: str = "GET"
    body: str = ""
    follows: bool = False


@dataclass(frozen=True, slots=True)
class CoapTarget:
    """`code` is the number of the method; the payload of each answer is `expected`."""

    host: str
    port: int
    code: int
    path: tuple[str, ...]
    expected: str
    query: tuple[str, ...] = ()
    payload: str = ""


@dataclass(frozen=True, slots=True)
class WebSocketTarget:
    """In `message`, `%d` is the place of the request's number.

    The answer has it as `number`, and `expected` as `value`: names of members, joined by dots.
    """

    host: str
    port: int
    path: str
    message: str
    number: str
    value: str
    expected: int
    subprotocol: str = ""


@dataclass(frozen=True, slots=True)
class MqttTarget:
    """Requests have a Response Topic and Correlation Data where `is_answered`.

    Otherwise what comes on `answer_topic` answers the oldest of them.
    """

    host: str
    port: int
    topic: str
    answer_topic: str
    payload: str
    expected: str
    is_answered: bool = True


Target: TypeAlias = HttpTarget | CoapTarget | WebSocketTarget | MqttTarget

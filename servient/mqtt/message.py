"""What travels over an MQTT connection, where its broker is, and whom that knows us as."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Broker:
    """The address of a broker, and who we are to it."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"the MQTT broker at {self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Identity:
    """A client that acknowledges by itself, and that the broker knows again.

    What comes for it while it is away waits there, with MQTT 5 for `keep_seconds`. No more than
    `unacknowledged_limit` messages come before one of them is acknowledged, which MQTT 3.1.1 has no
    words for.
    """

    client_id: str
    keep_seconds: int
    unacknowledged_limit: int


def new_client_id() -> str:
    """Nobody else's. Clients of 3.1.1 can count on 23 letters and digits only (section 3.1.3.1)."""
    return f"servient{secrets.token_hex(7)}"


def _nothing() -> None:
    """Most messages are acknowledged by themselves."""


# Not frozen: to make one would take four times as long, and there is one for all that comes and goes.
@dataclass(slots=True)
class Message:
    """An application message, coming in or going out.

    `is_retained` of one that comes in says that it is what the broker kept from earlier. Content
    type, response topic and correlation are properties of MQTT 5 and never there in 3.1.1. What comes
    in for an `Identity` is acknowledged by calling `acknowledge`; `is_again` says that the broker has
    sent it before, under the same `packet_id`, and has seen no acknowledgement. `traceparent` is a
    user property of that name (W3C Trace Context), "" without.
    """

    topic: str
    payload: bytes = b""
    qos: int = 1
    is_retained: bool = False
    content_type: str | None = None
    response_topic: str | None = None
    correlation: bytes | None = None
    traceparent: str = field(default="", kw_only=True)
    packet_id: int = field(default=0, compare=False)
    is_again: bool = field(default=False, compare=False)
    acknowledge: Callable[[], None] = field(default=_nothing, compare=False, repr=False)

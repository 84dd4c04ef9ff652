"""What one connection may take of a listener."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may take.

    `silence_seconds` is the longest pause in the middle of a request, and before the first one;
    `drain_seconds` is for the rest of a body that was not read, so that the answer is not lost.
    `stall_seconds` is how long a client may take no byte of what is sent to it.
    `head_seconds` and `body_seconds` bound what arrives bit by bit, without ever being silent for long.
    `idle_seconds` is longer than the clients of the field keep an idle connection: better they close it.
    `address_connections_limit` is for each address but those of this machine, where a proxy may be.
    """

    head_limit_bytes: int = 64 * 1024
    connections_limit: int = 4096
    address_connections_limit: int = 512
    silence_seconds: float = 30.0
    drain_seconds: float = 5.0
    head_seconds: float = 30.0
    body_seconds: float = 600.0
    stall_seconds: float = 30.0
    idle_seconds: float = 75.0

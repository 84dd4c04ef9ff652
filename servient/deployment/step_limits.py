"""How long the next steps of chains may take, and how many there may be at once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StepLimits:
    """`deadline_seconds` bounds a step with all its tries and all the steps after it.

    A servient of ours answers when its later steps have answered, so this has to be enough for all
    of them together; it is one bound for every step, so that whoever began the chain is told first.
    `connections` has to be far more than there are chains at once: each of their steps holds one. At
    each request the pool looks at every idle one for each idle one, hence `idle_connections`.
    """

    deadline_seconds: float = 45.0
    connect_seconds: float = 5.0
    answer_bytes: int = 2**20
    connections: int = 256
    idle_connections: int = 32

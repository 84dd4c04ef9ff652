"""When a call's turn came, for who wants to know it."""

import time
from dataclasses import dataclass


@dataclass(slots=True)
class Moments:
    """Set where the call runs, read where it was made; as of `time.time_ns`."""

    entered_ns: int | None = None

    def enter(self) -> None:
        self.entered_ns = time.time_ns()

"""How often each address has shown wrong credentials: too often, and it has to wait."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable

from servient.errors import TooManyRequests

FAILURES_LIMIT = 10
WINDOW_SECONDS = 60.0
ADDRESSES_LIMIT = 10_000


class Failures:
    """Of each address the last failures; of the addresses those that failed last."""

    def __init__(
        self,
        limit: int = FAILURES_LIMIT,
        window_seconds: float = WINDOW_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit
        self._window_seconds = window_seconds
        self._clock = clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def require_patience(self, address: str) -> None:
        """Raises TooManyRequests for an address that has failed too often lately."""
        times = self._times.get(address)
        if times is None or len(times) < self._limit:
            return
        wait = times[0] + self._window_seconds - self._clock()
        if wait > 0:
            raise TooManyRequests(f"too many wrong credentials; try again in {wait:.0f} s")

    def add(self, address: str) -> None:
        times = self._times.setdefault(address, deque(maxlen=self._limit))
        times.append(self._clock())
        self._times.move_to_end(address)
        while len(self._times) > ADDRESSES_LIMIT:
            self._times.popitem(last=False)

    def forgive(self, address: str) -> None:
        """Right credentials came from there."""
        self._times.pop(address, None)

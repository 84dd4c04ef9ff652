"""Where the next call of an export runs, decided by how long its calls took so far."""

# About what it costs to hand a call to the worker and to get its result back.
QUICK_SECONDS = 50e-6
# One call in this many moves the estimate down by itself; two slow ones move it up at once.
PATIENCE_CALLS = 16


class Placement:
    """Keeps an estimate for each export. The first call is measured off the event loop."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._last: dict[str, float] = {}

    def is_quick(self, function: str) -> bool:
        """Whether a call is expected to end sooner than it could be handed over."""
        return self._seconds.get(function, QUICK_SECONDS) < QUICK_SECONDS

    def record(self, function: str, seconds: float) -> None:
        """A call took this long in the guest.

        A single slow one says more about the machine than about the function; two in a row do not.
        """
        before = self._seconds.get(function, seconds)
        lately, self._last[function] = self._last.get(function, seconds), seconds
        if (risen := min(seconds, lately)) >= before:
            self._seconds[function] = risen
        elif seconds < before:
            self._seconds[function] = before + (seconds - before) / PATIENCE_CALLS

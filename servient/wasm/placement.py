"""Where the next call of an export runs, decided by how long its calls took so far."""

# About what it costs to hand a call to the worker and to get its result back.
QUICK_SECONDS = 50e-6
# One call in this many moves the estimate down by itself; one slow call moves it up at once.
PATIENCE_CALLS = 16


class Placement:
    """Keeps an estimate for each export. The first call is measured off the event loop."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    def is_quick(self, function: str) -> bool:
        """Whether a call is expected to end sooner than it could be handed over."""
        return self._seconds.get(function, QUICK_SECONDS) < QUICK_SECONDS

    def record(self, function: str, seconds: float) -> None:
        """A call took this long in the guest."""
        before = self._seconds.get(function, seconds)
        if seconds >= before:
            self._seconds[function] = seconds
        else:
            self._seconds[function] = before + (seconds - before) / PATIENCE_CALLS

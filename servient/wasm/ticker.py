"""The thread that advances the engine's epoch while guests run."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PERIOD_SECONDS = 0.01


class Ticker:
    """Calls `tick` every 10 ms while somebody needs it, and sleeps otherwise.

    A daemon thread, not a task: deadlines must still expire after the loop has closed.
    """

    def __init__(self, tick: Callable[[], None]) -> None:
        self._tick = tick
        self._changed = threading.Condition()
        self._users = 0
        self._parked = False
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="wasm-ticker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop and join the thread, which takes no longer than one tick."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    @contextmanager
    def ticking(self) -> Iterator[None]:
        with self._changed:
            self._users += 1
            # The thread parks only after a whole idle tick: calls in a row do not wake it each.
            if self._parked:
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._users -= 1

    def _run(self) -> None:
        while self._wait_for_users():
            self._tick()

    def _wait_for_users(self) -> bool:
        with self._changed:
            if not self._users and not self._stopped:
                self._parked = True
                self._changed.wait_for(lambda: self._users or self._stopped)
                self._parked = False
            if not self._stopped:
                self._changed.wait(PERIOD_SECONDS)
            return not self._stopped

"""The thread that advances the engine's epoch while guests run."""

import threading
from collections.abc import Callable

PERIOD_SECONDS = 0.01


class Ticker:
    """Calls `tick` every 10 ms while somebody needs it, and sleeps otherwise.

    A daemon thread, not a task: deadlines must still expire after the loop has closed.
    """

    def __init__(self, tick: Callable[[], None]) -> None:
        self._tick = tick
        self._changed = threading.Condition()
        self._users: set[object] = set()
        self._was_used = False
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

    def enter(self, user: object) -> None:
        """`user` needs ticks from now on. From any thread, and as cheap as it looks."""
        self._users.add(user)
        self._was_used = True
        # The thread says that it parks before it looks at its users for the last time.
        if self._parked:
            with self._changed:
                self._changed.notify_all()

    def leave(self, user: object) -> None:
        self._users.discard(user)

    def _run(self) -> None:
        while self._wait_for_users():
            self._tick()

    def _wait_for_users(self) -> bool:
        with self._changed:
            # It parks only after a whole idle tick: calls in a row do not wake it each.
            if not self._users and not self._was_used:
                self._parked = True
                self._changed.wait_for(lambda: self._users or self._was_used or self._stopped)
                self._parked = False
            self._was_used = False
            if not self._stopped:
                self._changed.wait(PERIOD_SECONDS)
            return not self._stopped

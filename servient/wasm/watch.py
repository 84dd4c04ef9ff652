"""How long the running guest may go on: until its deadline, or until its instance closes."""

import threading
import time
from enum import StrEnum

from servient.wasm.ticker import Ticker


class Ending(StrEnum):
    """Why a guest was stopped from outside."""

    DEADLINE = "deadline"
    CLOSED = "closed"
    FOLDER_FULL = "folder full"
    CANCELLED = "cancelled"


class Watch:
    """The deadline of one instance's running call, and the news that the instance closes.

    `close` and `cancel` may be called from any thread; everything else belongs to the instance's
    worker, which says by `call` what it is about.
    """

    call: object = None

    def __init__(self, ticker: Ticker) -> None:
        self._ticker = ticker
        self._closing = threading.Event()
        self._expires = 0.0
        self._ending: Ending | None = None
        self._unwanted: object = None

    def begin(self, seconds: float) -> float:
        """Watch a guest that has `seconds` from now, until `finish`; returns the time that it is."""
        self._ending = None
        now = time.monotonic()
        self._expires = now + seconds
        self._ticker.enter(self)
        return now

    def finish(self) -> None:
        self._ticker.leave(self)

    def close(self) -> None:
        """End the running guest, and every later one at its first check."""
        self._closing.set()

    def cancel(self, call: object) -> None:
        """End the running guest if this call is what it runs for, or is about to run for.

        One that waits behind another does not begin: nobody waits for it.
        """
        running = self.call
        if running is None or running is call:
            self._unwanted = call

    def end(self, ending: Ending) -> None:
        """End the running guest for a reason that its host found."""
        self._ending = self._ending or ending

    @property
    def ending(self) -> Ending | None:
        """Why the guest must stop, if it must; once there is a reason it stays the same."""
        if self._ending is None:
            if self._closing.is_set():
                self._ending = Ending.CLOSED
            elif self.call is not None and self.call is self._unwanted:
                self._ending = Ending.CANCELLED
            elif self.remaining_seconds <= 0:
                self._ending = Ending.DEADLINE
        return self._ending

    @property
    def interrupted(self) -> Ending | None:
        """The reason that was given to the guest, if there was one while it ran."""
        return self._ending

    @property
    def remaining_seconds(self) -> float:
        return self._expires - time.monotonic()

    def pause(self, seconds: float) -> bool:
        """Sleep on behalf of the guest; False when it must stop before that time is over."""
        until = time.monotonic() + seconds
        while self.ending is None:
            left = until - time.monotonic()
            if left <= 0:
                return True
            bound = min(left, max(0.0, self.remaining_seconds), threading.TIMEOUT_MAX)
            self._closing.wait(bound)
        return False

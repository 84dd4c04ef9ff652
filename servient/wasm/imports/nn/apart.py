"""Work that nobody can interrupt, away from the guest that waits for it."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from servient.wasm.imports.caller import Caller

CHECK_SECONDS = 0.05

T = TypeVar("T")


class Apart:
    """Runs so much at once, each on a thread of its own, and lets the guest go at its deadline.

    What goes on after that keeps its place until it has come to its end.
    """

    def __init__(self, places: int) -> None:
        self._places = threading.Semaphore(places)

    def run(
        self, work: Callable[[], T], caller: Caller, stop: Callable[[], None] = lambda: None
    ) -> T:
        """What `work` returns or raises. Raises Interrupted, after a call of `stop`."""
        while not self._places.acquire(timeout=CHECK_SECONDS):
            caller.check()
        done: Future[T] = Future()
        threading.Thread(
            target=self._run, args=(work, done), name="neural-network", daemon=True
        ).start()
        try:
            while not wait((done,), timeout=CHECK_SECONDS).done:
                caller.check()
        except BaseException:
            stop()
            raise
        return done.result()

    def _run(self, work: Callable[[], T], done: "Future[T]") -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is handed to the guest's thread
            done.set_exception(error)
        finally:
            self._places.release()

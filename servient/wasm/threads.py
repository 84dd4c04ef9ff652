"""Threads for guests, shared by all instances: as many as run at once."""

import threading
from collections.abc import Callable
from typing import TypeAlias

Work: TypeAlias = Callable[[], None]

# Room for a guest's calls and for the host functions below them. A guest that goes too deep is ended
# only where its thread has the room that the engine counts on: a smaller one ends the process.
STACK_BYTES = 4 * 2**20
# An idle one takes some 40 kB of memory, a new one a tenth of a millisecond.
IDLE_SECONDS = 10.0


class Threads:
    """Each piece of work has a thread to itself, at once, and for as long as it takes.

    How many there are is for those to bound who have work: an instance has one at a time.
    """

    def __init__(self, idle_seconds: float = IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._idle: list[_Thread] = []
        self._count = 0
        self._is_closed = False

    @property
    def busy(self) -> int:
        """How many are at work."""
        return self._count - len(self._idle)

    def run(self, work: Work) -> None:
        """From any thread. Raises RuntimeError when the system has no thread left."""
        with self._lock:
            # The one that rested last: the others may end.
            thread = self._idle.pop() if self._idle else None
        if thread is not None:
            thread.give(work)
            return
        thread = _Thread(self, self._idle_seconds)
        with self._lock:
            self._count += 1
        try:
            thread.start(work)
        except RuntimeError:
            with self._lock:
                self._count -= 1
            raise

    def close(self) -> None:
        """Those that rest end, and the others when they have done their work."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
            self._count -= len(idle)
        for thread in idle:
            thread.give(None)

    # For the threads

    def rests(self, thread: "_Thread") -> bool:
        """Whether it may: else it is to end."""
        with self._lock:
            if self._is_closed:
                self._count -= 1
                return False
            self._idle.append(thread)
            return True

    def leaves(self, thread: "_Thread") -> bool:
        """Whether it may: else it has got work at this moment."""
        with self._lock:
            if thread not in self._idle:
                return False
            self._idle.remove(thread)
            self._count -= 1
            return True


class _Thread:
    """One thread, which works, rests, and ends when nobody has wanted it for a while."""

    def __init__(self, threads: Threads, idle_seconds: float) -> None:
        self._threads = threads
        self._idle_seconds = idle_seconds
        self._work: Work | None = None
        # Free once for each piece of work; a bare lock is what wakes a thread soonest.
        self._given = threading.Lock()
        self._given.acquire()

    def start(self, work: Work) -> None:
        self._work = work
        # A daemon: a guest that does not end must not keep the process.
        thread = threading.Thread(target=self._run, name="wasm-guest", daemon=True)
        # For all threads that start now: the system's own default may be too small for a guest.
        before = threading.stack_size(STACK_BYTES)
        try:
            thread.start()
        finally:
            threading.stack_size(before)

    def give(self, work: Work | None) -> None:
        """To one that rests; None ends it."""
        self._work = work
        self._given.release()

    def _run(self) -> None:
        while (work := self._work) is not None:
            self._work = None
            work()
            del work  # what it holds is not to outlive it
            if not self._threads.rests(self) or not self._is_wanted():
                return

    def _is_wanted(self) -> bool:
        if self._given.acquire(timeout=self._idle_seconds):
            return True
        if self._threads.leaves(self):
            return False
        return self._given.acquire()

"""The thread of an instance, and the bounded queue in front of it."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from servient.errors import Busy, NotFound

# Room for a guest's calls and for the host functions below them. A guest that goes too deep is ended
# only where its thread has the room that the engine counts on: a smaller one ends the process.
STACK_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[], Any]
    future: asyncio.Future[Any]
    is_begun: bool


def _is_abandoned(job: _Job) -> bool:
    return job.future.cancelled() and not job.is_begun


class Worker:
    """Runs one piece of work after the other; its methods belong to the event loop.

    Work whose caller is gone is skipped, but what has begun runs on: nobody frees it early.
    """

    def __init__(
        self,
        queue_length: int,
        at_end: Callable[[], None],
        on_idle: Callable[[], None] = lambda: None,
    ) -> None:
        self._jobs: queue.Queue[_Job | None] = queue.Queue()
        self._queue_length = queue_length
        self._at_end = at_end
        self._on_idle = on_idle
        self._pending = 0
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="wasm-instance", daemon=True)

    def start(self) -> None:
        # For all threads that start now: the system's own default may be too small for a guest.
        before = threading.stack_size(STACK_BYTES)
        try:
            self._thread.start()
        finally:
            threading.stack_size(before)

    @property
    def is_idle(self) -> bool:
        """Whether it runs nothing and nothing waits: what it works on may be used from elsewhere."""
        return not self._pending and not self._is_closed

    @property
    def pending(self) -> int:
        """How much runs or waits."""
        return self._pending

    async def run(self, work: Callable[[], Any], *, is_begun: bool = False) -> Any:
        """What `work` returns or raises when its turn came; what `is_begun` is never skipped.

        Raises Busy when too much is waiting, and NotFound when the worker is closed.
        """
        if self._is_closed and not is_begun:
            raise NotFound("the deployment was removed")
        if self._pending > self._queue_length:
            self._forget_abandoned()
        if self._pending > self._queue_length:
            raise Busy(f"{self._queue_length} calls are waiting already")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pending += 1
        self._jobs.put(_Job(work, future, is_begun))
        return await future

    async def close(self) -> None:
        """Wait until what runs has ended; what waits gets an error."""
        if self._is_closed:
            return
        self.leave()
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join)

    def leave(self) -> None:
        """Let the thread end by itself, whenever what it runs comes back."""
        self._is_closed = True
        self._jobs.put(None)

    def _forget_abandoned(self) -> None:
        """Callers that are gone do not take the places of those who come."""
        with self._jobs.mutex:
            waiting = self._jobs.queue
            living = [job for job in waiting if job is None or not _is_abandoned(job)]
            self._pending -= len(waiting) - len(living)
            waiting.clear()
            waiting.extend(living)

    def _settle(
        self, future: asyncio.Future[Any], result: Any, failure: BaseException | None
    ) -> None:
        self._pending -= 1
        if not future.cancelled():
            if failure is not None:
                future.set_exception(failure)
            else:
                future.set_result(result)
        if not self._pending:
            self._on_idle()

    # On the thread

    def _run(self) -> None:
        while job := self._jobs.get():
            self._answer(job)
        self._at_end()

    def _answer(self, job: _Job) -> None:
        result: Any = None
        failure: BaseException | None = None
        try:
            if self._is_closed and not job.is_begun:
                raise NotFound("the deployment was removed")
            if not _is_abandoned(job):
                result = job.work()
        except BaseException as error:  # noqa: BLE001 - it is handed to the caller, whatever it is
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            job.future.get_loop().call_soon_threadsafe(self._settle, job.future, result, failure)

"""One piece of work after the other for an instance, and the bounded queue in front of it."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from servient.errors import Busy, NotFound
from servient.wasm.threads import Threads


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[], Any]
    future: asyncio.Future[Any]
    is_begun: bool

    @property
    def is_abandoned(self) -> bool:
        return self.future.cancelled() and not self.is_begun


class Worker:
    """Has one thread at most, and none while there is nothing to do. Its methods belong to the event loop.

    Work whose caller is gone is skipped, but what has begun runs on: nobody frees it early.
    `at_end` is its last work.
    """

    def __init__(
        self,
        threads: Threads,
        queue_length: int,
        at_end: Callable[[], None],
        on_idle: Callable[[], None] = lambda: None,
    ) -> None:
        self._threads = threads
        self._queue_length = queue_length
        self._at_end = at_end
        self._on_idle = on_idle
        self._pending = 0
        self._is_closed = False
        self._lock = threading.Lock()
        # Both under the lock: what waits, and whether a thread takes it.
        self._jobs: deque[_Job] = deque()
        self._has_thread = False

    @property
    def is_idle(self) -> bool:
        """Whether it runs nothing and nothing waits: what it works on may be used from elsewhere."""
        return not self._pending and not self._is_closed

    @property
    def pending(self) -> int:
        """How much runs or waits."""
        return self._pending

    async def run(self, work: Callable[[], Any]) -> Any:
        """What `work` returns or raises when its turn came.

        Raises Busy when too much is waiting, and NotFound when the worker is closed.
        """
        self._require_open()
        self._require_room()
        return await self._put(work, is_begun=False)

    def go_on(self, work: Callable[[], Any]) -> asyncio.Future[Any]:
        """Have work done that was begun elsewhere: it is never skipped. Raises NotFound."""
        self._require_open()
        return self._put(work, is_begun=True)

    def _require_open(self) -> None:
        if self._is_closed:
            raise NotFound("the deployment was removed")

    async def close(self) -> None:
        """Wait until what runs has ended; what waits gets an error."""
        if not self._is_closed:
            await self._end()

    def leave(self) -> None:
        """End by itself, whenever what runs comes back."""
        if not self._is_closed:
            self._end()

    def _end(self) -> asyncio.Future[Any]:
        self._is_closed = True
        return self._put(self._at_end, is_begun=True)

    def _require_room(self) -> None:
        if self._pending > self._queue_length:
            self._forget_abandoned()
        if self._pending > self._queue_length:
            raise Busy(f"{self._queue_length} calls are waiting already")

    def _forget_abandoned(self) -> None:
        """Callers that are gone do not take the places of those who come."""
        with self._lock:
            living = [job for job in self._jobs if not job.is_abandoned]
            self._pending -= len(self._jobs) - len(living)
            self._jobs = deque(living)

    def _put(self, work: Callable[[], Any], *, is_begun: bool) -> asyncio.Future[Any]:
        job = _Job(work, asyncio.get_running_loop().create_future(), is_begun)
        self._pending += 1
        with self._lock:
            self._jobs.append(job)
            has_thread, self._has_thread = self._has_thread, True
        if not has_thread:
            self._get_thread()
        return job.future

    def _get_thread(self) -> None:
        try:
            self._threads.run(self._work)
        except RuntimeError as error:
            with self._lock:  # it is the only one: where others wait there is a thread
                job = self._jobs.popleft()
                self._has_thread = False
            if job.is_begun:  # it cannot be left as it is
                self._answer(job)
            else:
                reason = Busy(f"the system has no more threads: {error}")
                self._settle(job.future, None, reason)

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

    def _work(self) -> None:
        while (job := self._take()) is not None:
            self._answer(job)

    def _take(self) -> _Job | None:
        with self._lock:
            if self._jobs:
                return self._jobs.popleft()
            self._has_thread = False
            return None

    def _answer(self, job: _Job) -> None:
        result: Any = None
        failure: BaseException | None = None
        try:
            if self._is_closed and not job.is_begun:
                raise NotFound("the deployment was removed")
            if not job.is_abandoned:
                result = job.work()
        except BaseException as error:  # noqa: BLE001 - it is handed to the caller, whatever it is
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            job.future.get_loop().call_soon_threadsafe(self._settle, job.future, result, failure)

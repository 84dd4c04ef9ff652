"""One copy of a component, and its thread, which is left behind when it does not come back."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from servient.errors import DeadlineExceeded, ServientError
from servient.wasm.components.component import Component
from servient.wasm.components.guest import ComponentGuest
from servient.wasm.engine import Engine
from servient.wasm.folder import Folder
from servient.wasm.types import Limits, WasiSettings
from servient.wasm.watch import Watch
from servient.wasm.worker import Worker

# How much later than its deadline a call may end. A guest is stopped within a tick, but not while
# it sleeps in WASI 0.2, whose functions the engine cannot interrupt. Interruptible ones in their place
# would have to be all of `wasi:io`: a linker replaces interfaces as a whole, and streams give out
# pollables too, whose type must be the one that clocks have.
GRACE_SECONDS = 0.5


class LeftBehind(ServientError):
    """An earlier call does not come back: what waits behind it is to be done elsewhere."""


class Line:
    """Calls of one guest, one after the other, with a fresh guest where one failed."""

    def __init__(
        self,
        engine: Engine,
        component: Component,
        folder: Folder,
        limits: Limits,
        wasi: WasiSettings,
    ) -> None:
        self._engine = engine
        self._component = component
        self._folder = folder
        self._limits = limits
        self._wasi = wasi
        self._watch = Watch(engine.ticker)
        self._worker = Worker(engine.threads, limits.queue_length, at_end=self._drop)
        self._guest: ComponentGuest | None = None
        self._running: _Turn | None = None
        self._left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._guard: asyncio.TimerHandle | None = None
        self._answers: set[asyncio.Task[Any]] = set()

    @property
    def is_stuck(self) -> bool:
        """Whether its thread was left behind and has not come back yet."""
        return self._left.done() and self._running is not None

    @property
    def pending(self) -> int:
        """How many calls run or wait."""
        return len(self._answers)

    @property
    def is_left(self) -> bool:
        return self._left.done()

    async def run(
        self, work: Callable[[ComponentGuest], Any], seconds: float, call: object = None
    ) -> Any:
        """What `work` returns or raises when its turn came; it has so many seconds from then.

        Raises DeadlineExceeded for the call that does not come back, and LeftBehind for those that
        wait behind it; otherwise as `Worker.run`.
        """
        turn = _Turn(work, seconds, call)
        answer = asyncio.create_task(self._worker.run(lambda: self._take(turn)), name="a call")
        self._answers.add(answer)
        self._arm()
        try:
            await asyncio.wait({answer, self._left}, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return answer.result()
        finally:
            self._answers.discard(answer)
            answer.cancel()
        if turn.has_begun:
            raise DeadlineExceeded(f"the call did not end within {seconds:g} s")
        raise LeftBehind("an earlier call does not end")

    def cancel(self, call: object) -> None:
        """End a call if it runs."""
        self._watch.cancel(call)

    async def close(self) -> None:
        """End what runs; a thread that does not come back ends when it does."""
        self._watch.close()
        if self._guard is not None:
            self._guard.cancel()
        if self._answers:
            await asyncio.wait(self._answers, timeout=GRACE_SECONDS)
        if self._running is None:
            await self._worker.close()
        else:
            self._leave()

    def _leave(self) -> None:
        if not self._left.done():
            self._left.set_result(None)
            self._worker.leave()

    def _arm(self) -> None:
        if self._guard is None:
            self._guard = asyncio.get_running_loop().call_later(GRACE_SECONDS, self._look)

    def _look(self) -> None:
        self._guard = None
        running = self._running
        if running is not None and time.monotonic() > running.expires + GRACE_SECONDS:
            self._watch.close()
            self._leave()
        elif self._answers:
            self._arm()

    # On the worker's thread

    def _take(self, turn: "_Turn") -> Any:
        turn.begin(self._limits.start_seconds)
        self._running = turn
        self._watch.call = turn.call
        try:
            guest = self._ready()
            turn.begin(turn.seconds)
            return turn.work(guest)
        finally:
            self._running = self._watch.call = None

    def _ready(self) -> ComponentGuest:
        """The present copy, or a fresh one."""
        if self._guest is None:
            self._folder.restore()
            guest = ComponentGuest(
                self._engine, self._component, self._folder, self._limits, self._watch, self._wasi
            )
            try:
                guest.start(self._limits.start_seconds)
            except BaseException:
                guest.close()
                raise
            self._guest = guest
        return self._guest

    def retire(self) -> None:
        """The copy failed: it is not to be trusted any more."""
        self._drop()

    def _drop(self) -> None:
        if self._guest is not None:
            self._guest.close()
            self._guest = None


class _Turn:
    """A call, which has so many seconds, and until when what it does now may last."""

    def __init__(self, work: Callable[[ComponentGuest], Any], seconds: float, call: object) -> None:
        self.work = work
        self.call = call
        self.seconds = seconds
        self.expires = float("inf")
        self.has_begun = False

    def begin(self, seconds: float) -> None:
        self.expires = time.monotonic() + seconds
        self.has_begun = True

"""One ordered, running copy of a module."""

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

from servient.errors import InvalidInput, NotFound, ServientError
from servient.wasm.current import Current
from servient.wasm.engine import Engine
from servient.wasm.folder import Folder, check_name
from servient.wasm.guest import Guest, Suspended
from servient.wasm.module import Module
from servient.wasm.placement import Placement
from servient.wasm.turns import Turns
from servient.wasm.types import NO_FILES, NO_SETTINGS, Call, CallResult, Limits, WasiSettings
from servient.wasm.watch import Watch
from servient.wasm.worker import Worker


class Instance:
    """Calls run one after the other, each under its deadline; state stays between them.

    They run on a thread, but those that end sooner than they could be handed over
    run at once where they are made; one that takes longer than expected is handed over on the way.

    After a trap, an exit or a missed deadline the copy is thrown away: the next call finds a fresh
    one, and `generation` has grown. A caller that is cancelled does not stop its call, but
    `interrupt` does.
    """

    def __init__(
        self,
        engine: Engine,
        module: Module,
        folder: Path,
        limits: Limits,
        wasi: WasiSettings = NO_SETTINGS,
        prelude: Call | None = None,
    ) -> None:
        """`prelude` is the call that each copy begins with which takes the place of another."""
        self._module = module
        self._folder = Folder(folder, limits)
        self._watch = Watch(engine.ticker)
        self._current = Current(engine, module, self._folder, limits, self._watch, wasi, prelude)
        self._worker = Worker(
            engine.threads, limits.queue_length, self._current.drop, self._advance
        )
        # For calls that run here as soon as nothing runs on the worker.
        self._turns = Turns(lambda: not self._worker.pending, limits.queue_length)
        self._placement = Placement()

    @property
    def generation(self) -> int:
        return self._current.generation

    @property
    def pending(self) -> int:
        return self._worker.pending + self._turns.waiting

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Instantiate. Raises ServientError when the start of the module fails."""
        try:
            await self._worker.run(self._current.ready)
        except BaseException:  # nobody closes what never started
            await self.close()
            raise

    async def call(self, call: Call) -> CallResult:
        """Run one call when its turn comes.

        Raises NotFound for a function that is not exported, InvalidInput for arguments that do not
        fit, Busy when the queue is full, DeadlineExceeded, ModuleTrapped, ModuleExited, TooLarge.
        """
        if call.function not in self._module.signatures:
            raise NotFound(f"the module exports no function {call.function[:100]!r}")
        if self._turns.has_waiting or (self._worker.pending and self._is_for_here(call)):
            await self._turns.wait()
            with self._turns.taken():
                return await self._run(call)
        return await self._run(call)

    def begin(self, call: Call) -> CallResult | asyncio.Future[CallResult] | None:
        """As `call`, of a call that can run at once: its result, where it ended soon enough.

        None where it cannot: nothing is begun.
        """
        if self._turns.has_waiting or (guest := self._guest_for(call)) is None:
            return None
        if call.function not in self._module.signatures:
            return None
        return self._begin_here(guest, call)

    async def _run(self, call: Call) -> CallResult:
        if (guest := self._guest_for(call)) is not None:
            result = self._begin_here(guest, call)
            return result if isinstance(result, CallResult) else await result
        for name in (*call.inputs, *call.outputs):
            check_name(name)
        done: CallResult = await self._worker.run(lambda: self._call(call))
        self._placement.record(call.function, done.seconds)
        return done

    async def close(self) -> None:
        """End what runs and free everything; waiting callers get an error."""
        self._watch.close()
        await self._worker.close()

    def _is_for_here(self, call: Call) -> bool:
        """A module without imports can touch nothing but its memory, so nothing in it blocks."""
        return (
            not self._module.imports and call.is_plain and self._placement.is_quick(call.function)
        )

    def _advance(self) -> None:
        self._turns.advance()

    def _guest_for(self, call: Call) -> Guest | None:
        """The guest, if a call may run in it here and now."""
        guest = self._current.guest
        is_here = guest is not None and self._worker.is_idle and self._is_for_here(call)
        return guest if is_here else None

    def _begin_here(self, guest: Guest, call: Call) -> CallResult | asyncio.Future[CallResult]:
        """Run a call here; if it takes long it goes on on the worker, whoever awaits it."""
        if call.moments is not None:
            call.moments.enter()
        try:
            returned = guest.begin(call.function, call.arguments, call.deadline_seconds)
        except InvalidInput:
            raise  # the guest was not entered
        except ServientError:
            self._current.retire()
            raise
        if isinstance(returned, Suspended):
            return self._hand_over(guest, returned, call)
        values, seconds = returned
        self._placement.record(call.function, seconds)
        return CallResult(values, NO_FILES, b"", b"", seconds)

    def _hand_over(
        self, guest: Guest, suspended: Suspended, call: Call
    ) -> asyncio.Future[CallResult]:
        def note(done: asyncio.Future[CallResult]) -> None:
            if not done.cancelled() and done.exception() is None:
                self._placement.record(call.function, done.result().seconds)

        rest = self._worker.go_on(lambda: self._go_on(guest, suspended, call))
        rest.add_done_callback(note)
        return rest

    def interrupt(self, call: Call) -> None:
        """End a call if it runs; the copy is replaced."""
        self._watch.cancel(call)

    # On the worker's thread

    def _call(self, call: Call) -> CallResult:
        if call.moments is not None:
            call.moments.enter()
        self._watch.call = call
        try:
            return self._current.call(call)
        finally:
            self._watch.call = None

    def _go_on(self, guest: Guest, suspended: Suspended, call: Call) -> CallResult:
        self._watch.call = call
        try:
            values, seconds = guest.go_on(suspended)
            return CallResult(values, NO_FILES, b"", b"", seconds)
        except ServientError:
            self._current.retire()
            raise
        finally:
            self._watch.call = None

"""One ordered, running copy of a module."""

import time
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from servient.errors import InvalidInput, NotFound, ServientError
from servient.wasm.current import Current
from servient.wasm.engine import Engine
from servient.wasm.folder import Folder, check_name
from servient.wasm.guest import Guest, Returned, Suspended
from servient.wasm.module import Module
from servient.wasm.placement import Placement
from servient.wasm.turns import Turns
from servient.wasm.types import NO_SETTINGS, Call, CallResult, Limits, WasiSettings
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
                result = await self._run(call)
        else:
            result = await self._run(call)
        self._placement.record(call.function, result.seconds)
        return result

    async def _run(self, call: Call) -> CallResult:
        guest = self._current.guest
        if guest is not None and self._worker.is_idle and self._is_for_here(call):
            return await self._call_here(guest, call)
        for name in (*call.inputs, *call.outputs):
            check_name(name)
        result: CallResult = await self._worker.run(lambda: self._call(call))
        return result

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

    async def _call_here(self, guest: Guest, call: Call) -> CallResult:
        if call.moments is not None:
            call.moments.enter()
        try:
            returned = guest.begin(call.function, call.arguments, call.deadline_seconds)
            if isinstance(returned, Suspended):
                suspended = returned
                returned = await self._worker.run(
                    lambda: self._go_on(guest, suspended, call), is_begun=True
                )
        except InvalidInput:
            raise  # the guest was not entered
        except ServientError:
            if self._current.guest is guest:  # ended here: the worker drops what ends there
                self._current.retire()
            raise
        return CallResult(returned[0], {}, b"", b"", returned[1])

    def interrupt(self, call: Call) -> None:
        """End a call if it runs; the copy is replaced."""
        self._watch.cancel(call)

    # On the worker's thread

    def _call(self, call: Call) -> CallResult:
        if call.moments is not None:
            call.moments.enter()
        self._watch.call = call
        # The thread's own clock: what others take meanwhile says nothing about the function.
        began = time.thread_time()
        try:
            result = self._current.call(call)
            return replace(result, seconds=time.thread_time() - began)
        finally:
            self._watch.call = None

    def _go_on(self, guest: Guest, suspended: Suspended, call: Call) -> Returned:
        self._watch.call = call
        try:
            return guest.go_on(suspended)
        except ServientError:
            self._current.retire()
            raise
        finally:
            self._watch.call = None

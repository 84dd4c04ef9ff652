"""Calls that share nothing: each in an instance of its own, as many at once as there are cores."""

import asyncio
import contextlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from servient.errors import NotFound
from servient.wasm.deployed_files import deployed_path
from servient.wasm.engine import Engine
from servient.wasm.folder import Folder, check_name
from servient.wasm.fresh import FreshCalls
from servient.wasm.guests import Guests
from servient.wasm.module import Module
from servient.wasm.perform import perform
from servient.wasm.removal import remove_tree
from servient.wasm.types import NO_SETTINGS, Call, CallResult, Limits, WasiSettings
from servient.wasm.watch import Watch
from servient.wasm.worker import Worker


class StatelessInstances:
    """In the place of an `Instance`, for a module that is declared stateless.

    What a call leaves behind, in memory or in files, no other call finds; calls end in any order.
    `generation` stays 0: there is no state that could be lost.
    """

    generation = 0

    def __init__(
        self,
        engine: Engine,
        module: Module,
        folder: Path,
        limits: Limits,
        wasi: WasiSettings = NO_SETTINGS,
        lanes: int | None = None,
    ) -> None:
        count = lanes or os.cpu_count() or 1
        self._module = module
        self._lanes = [
            _Lane(engine, module, folder, limits, wasi, number) for number in range(count)
        ]

    @property
    def pending(self) -> int:
        return sum(lane.worker.pending for lane in self._lanes)

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
        """Try one instance. Raises ServientError when the start of the module fails."""
        try:
            await self._lanes[0].worker.run(self._lanes[0].try_out)
        except BaseException:  # nobody closes what never started
            await self.close()
            raise

    def begin(self, _: Call) -> None:
        """Its calls run elsewhere: none ends at once."""

    async def call(self, call: Call) -> CallResult:
        """Run a call as soon as a lane is free. Raises as `Instance.call` does."""
        if call.function not in self._module.signatures:
            raise NotFound(f"the module exports no function {call.function[:100]!r}")
        for name in (*call.inputs, *call.outputs):
            check_name(name)
        lane = min(self._lanes, key=lambda lane: lane.worker.pending)
        result: CallResult = await lane.worker.run(lambda: lane.call(call))
        return result

    def interrupt(self, call: Call) -> None:
        """End a call if it runs."""
        for lane in self._lanes:
            lane.watch.cancel(call)

    async def close(self) -> None:
        """End what runs; waiting callers get an error."""
        for lane in self._lanes:
            lane.watch.close()
        await asyncio.gather(*(lane.worker.close() for lane in self._lanes))


class _Lane:
    """Calls in a row, and what they are made with. Blocking, but for the worker's own methods."""

    def __init__(
        self,
        engine: Engine,
        module: Module,
        folder: Path,
        limits: Limits,
        wasi: WasiSettings,
        number: int,
    ) -> None:
        self.watch = Watch(engine.ticker)
        self.worker = Worker(engine.threads, limits.queue_length, at_end=self._close)
        self._engine = engine
        self._module = module
        self._limits = limits
        self._folder = Folder(folder / f".lane-{number}", limits, deployed_path(folder))
        self._guests = Guests(engine, module, self._folder, limits, self.watch, wasi)
        self._fresh: FreshCalls | None = None

    def try_out(self) -> None:
        """Start an instance and throw it away."""
        self._folder.reset()
        self._guests.start().close()

    def call(self, call: Call) -> CallResult:
        if call.moments is not None:
            call.moments.enter()
        self.watch.call = call
        try:
            return self._call(call)
        finally:
            self.watch.call = None

    def _call(self, call: Call) -> CallResult:
        if self._module.imports or self._module.is_reactor or not call.is_plain:
            return self._call_with_files(call)
        if self._fresh is None:
            self._fresh = FreshCalls(self._engine, self._module, self._limits, self.watch)
        values, seconds = self._fresh.call(call.function, call.arguments, call.deadline_seconds)
        return CallResult(values, {}, b"", b"", seconds)

    def _call_with_files(self, call: Call) -> CallResult:
        self._folder.reset()
        guest = self._guests.start(call.command_line)
        try:
            return perform(guest, self._folder, call)
        finally:
            guest.close()

    def _close(self) -> None:
        with contextlib.suppress(OSError):
            remove_tree(self._folder.path)

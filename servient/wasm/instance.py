"""One ordered, running copy of a module, on a thread of its own."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from servient.errors import Busy, InvalidInput, NotFound, ServientError
from servient.wasm.engine import Engine
from servient.wasm.folder import Folder, check_name
from servient.wasm.guest import Guest
from servient.wasm.module import Module
from servient.wasm.types import Call, CallResult, Limits
from servient.wasm.watch import Watch

_Job = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class Instance:
    """Calls run one after the other, each under its deadline; state stays between them.

    After a trap, an exit or a missed deadline the copy is thrown away: the next call finds a fresh
    one, and `generation` has grown. A caller that is cancelled does not stop its call.
    """

    def __init__(self, engine: Engine, module: Module, folder: Path, limits: Limits) -> None:
        self._engine = engine
        self._module = module
        self._limits = limits
        self._folder = Folder(folder, limits)
        self._watch = Watch(engine.ticker)
        self._jobs: queue.Queue[_Job | None] = queue.Queue(limits.queue_length)
        self._guest: Guest | None = None
        self._is_closed = False
        self._thread = threading.Thread(target=self._work, name="wasm-instance", daemon=True)
        self.generation = 0

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
        self._thread.start()
        await self._submit(self._ready)

    async def call(self, call: Call) -> CallResult:
        """Run one call when its turn comes.

        Raises NotFound for a function that is not exported, InvalidInput for arguments that do not
        fit, Busy when the queue is full, DeadlineExceeded, ModuleTrapped, ModuleExited, TooLarge.
        """
        if call.function not in self._module.signatures:
            raise NotFound(f"the module exports no function {call.function[:100]!r}")
        for name in (*call.inputs, *call.outputs):
            check_name(name)
        result: CallResult = await self._submit(lambda: self._call(call))
        return result

    async def close(self) -> None:
        """End what runs and free everything; waiting callers get an error."""
        if self._is_closed:
            return
        self._is_closed = True
        self._watch.close()
        if self._thread.ident is not None:
            await asyncio.to_thread(self._join)

    def _join(self) -> None:
        self._jobs.put(None)
        self._thread.join()

    async def _submit(self, work: Callable[[], Any]) -> Any:
        if self._is_closed:
            raise NotFound("the deployment was removed")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        try:
            self._jobs.put_nowait((work, future))
        except queue.Full:
            raise Busy(f"{self._limits.queue_length} calls are waiting already") from None
        return await future

    # On the worker's thread

    def _work(self) -> None:
        while job := self._jobs.get():
            work, future = job
            if not future.cancelled():
                self._answer(work, future)
        self._drop()

    def _answer(self, work: Callable[[], Any], future: "asyncio.Future[Any]") -> None:
        result: Any = None
        failure: BaseException | None = None
        try:
            if self._is_closed:
                raise NotFound("the deployment was removed")
            result = work()
        except BaseException as error:  # noqa: BLE001 - it is handed to the caller, whatever it is
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            future.get_loop().call_soon_threadsafe(_resolve, future, result, failure)

    def _ready(self) -> Guest:
        """The present copy, or a fresh one."""
        if self._guest is None:
            guest = Guest(self._engine, self._module, self._folder, self._limits, self._watch)
            try:
                guest.start(self._limits.start_seconds)
            except BaseException:
                guest.close()
                raise
            self._guest = guest
        return self._guest

    def _call(self, call: Call) -> CallResult:
        guest = self._ready()
        self._folder.prepare(call.inputs, call.outputs)
        if call.any_output:
            self._folder.mark()
        try:
            values, seconds = guest.call(call.function, call.arguments, call.deadline_seconds)
        except InvalidInput:
            raise  # the guest was not entered
        except ServientError:
            self._drop()
            self.generation += 1
            raise
        return CallResult(
            values,
            self._folder.collect(self._folder.written() if call.any_output else call.outputs),
            guest.stdout.taken(),
            guest.stderr.taken(),
            seconds,
        )

    def _drop(self) -> None:
        if self._guest is not None:
            self._guest.close()
            self._guest = None


def _resolve(future: "asyncio.Future[Any]", result: Any, failure: BaseException | None) -> None:
    if future.cancelled():
        return
    if failure is not None:
        future.set_exception(failure)
    else:
        future.set_result(result)

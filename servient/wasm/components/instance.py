"""One ordered, running copy of a component."""

from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from servient.errors import Busy, NotFound, ServientError
from servient.wasm.components.call import ComponentCall, ComponentResult
from servient.wasm.components.component import Component
from servient.wasm.components.guest import ComponentGuest
from servient.wasm.components.line import LeftBehind, Line
from servient.wasm.engine import Engine
from servient.wasm.folder import Folder, check_name
from servient.wasm.mounts import Mounts
from servient.wasm.types import NO_SETTINGS, Limits, WasiSettings

# Threads that may be left behind in guests which sleep, before their instance takes no more calls.
LEFT_LIMIT = 4


class ComponentInstance:
    """Calls run one after the other, each under its deadline; state stays between them.

    After a trap, an exit or a missed deadline the copy is thrown away: the next call finds a fresh
    one, and `generation` has grown. A function that returns its own error has not failed so, and
    goes on with its state. A caller that is cancelled does not stop its call, but `interrupt` does.
    """

    def __init__(
        self,
        engine: Engine,
        component: Component,
        folder: Path,
        limits: Limits,
        wasi: WasiSettings = NO_SETTINGS,
    ) -> None:
        self._engine = engine
        self._component = component
        self._limits = limits
        self._wasi = wasi
        self._folder = Folder(folder, limits)
        self._line: Line | None = None
        self._left: list[Line] = []
        self._is_closed = False
        self.generation = 0

    @property
    def pending(self) -> int:
        return self._line.pending if self._line is not None else 0

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
        """Instantiate. Raises ServientError when the start of the component fails."""
        await self._present().run(lambda _: None, 0.0)

    async def call(self, call: ComponentCall) -> ComponentResult:
        """Run one call when its turn comes.

        Raises NotFound for a function that is not exported, InvalidInput for arguments that do not
        fit, ActionFailed for the error that the function returned, Busy when the queue is full,
        DeadlineExceeded, ModuleTrapped, ModuleExited, TooLarge.
        """
        if call.function not in self._component.signatures:
            raise NotFound(f"the component exports no function {call.function[:100]!r}")
        for name in (*call.inputs, *call.outputs):
            check_name(name)
        while True:
            line = self._present()
            try:
                work = partial(self._call, call, line)
                result: ComponentResult = await line.run(work, call.deadline_seconds, call)
            except ServientError as error:
                self._set_aside()
                if isinstance(error, LeftBehind):
                    continue  # the next line has a thread of its own
                raise
            return result

    def interrupt(self, call: ComponentCall) -> None:
        """End a call if it runs; the copy is replaced."""
        if self._line is not None:
            self._line.cancel(call)

    async def close(self) -> None:
        """End what runs and free everything; waiting callers get an error."""
        self._is_closed = True
        if self._line is not None:
            await self._line.close()

    def _present(self) -> Line:
        """The line that takes calls: a new one where the last was left behind."""
        if self._is_closed:
            raise NotFound("the deployment was removed")
        self._set_aside()
        self._left = [line for line in self._left if line.is_stuck]
        if self._line is None:
            if len(self._left) >= LEFT_LIMIT:
                raise Busy(f"{LEFT_LIMIT} calls of the component have not come back from sleep")
            self._line = Line(self._engine, self._component, self._folder, self._limits, self._wasi)
        return self._line

    def _set_aside(self) -> None:
        """A line that was left behind has its copy and the state in it for itself."""
        if self._line is not None and self._line.is_left:
            self._left.append(self._line)
            self._line = None
            self.generation += 1

    # On the line's thread

    def _call(self, call: ComponentCall, line: Line, guest: ComponentGuest) -> ComponentResult:
        if call.moments is not None:
            call.moments.enter()
        with Mounts(self._folder, call.inputs, call.outputs, call.any_output) as mounts:
            try:
                value, seconds = guest.call(call.function, call.arguments, call.deadline_seconds)
            except ServientError:
                if not guest.is_well:
                    line.retire()
                    self.generation += 1
                raise
            return ComponentResult(
                value, mounts.take(), guest.stdout.taken(), guest.stderr.taken(), seconds
            )

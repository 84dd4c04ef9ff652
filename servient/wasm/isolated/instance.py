"""An instance in a process of its own, in the place of an `Instance`."""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from servient.errors import (
    ActionFailed,
    Busy,
    DeadlineExceeded,
    ModuleTrapped,
    NotFound,
    ServientError,
)
from servient.wasm.current import is_fatal
from servient.wasm.folder import check_name
from servient.wasm.isolated.answers import answer_limit_bytes, parse_error, parse_result
from servient.wasm.isolated.calls import SentBuffers, call_to_parts
from servient.wasm.isolated.child import PROGRAM, Child
from servient.wasm.isolated.launch import launch
from servient.wasm.isolated.messages import Malformed, Message
from servient.wasm.isolated.setup import Isolation, make_setup
from servient.wasm.module import Module
from servient.wasm.placement import Placement
from servient.wasm.types import Call, CallResult, Limits, Signature
from servient.wasm.values import check_arguments

logger = logging.getLogger(__name__)

# How much later than its guest's deadline a call must have come back, its files written and read.
GRACE_SECONDS = 2.0
# Short calls that are sent ahead, so that the process need not wait for the servient's next turn.
AHEAD_CALLS = 16


@dataclass(eq=False, frozen=True, slots=True)
class _Job:
    call: Call
    signature: Signature
    future: asyncio.Future[CallResult]


class IsolatedInstance:
    """Calls run one after the other in a process that may crash, hang or lie: it is then killed.

    As with an `Instance`, the next call finds a fresh copy after a failure, and `generation` has
    grown; a caller that is cancelled does not stop its call, but `interrupt` does. All methods belong
    to the event loop. Of a stateless module, too, one call runs at a time.
    """

    def __init__(
        self,
        module: Module,
        folder: Path,
        limits: Limits,
        isolation: Isolation | None = None,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self._module = module
        self._folder = folder
        self._limits = limits
        self._isolation = isolation or Isolation()
        self._program = program
        self._placement = Placement()
        self._waiting: deque[_Job] = deque()
        self._sent: deque[_Job] = deque()
        self._sent_buffers = SentBuffers()
        self._child: Child | None = None
        self._dying: Child | None = None
        self._leftovers: tuple[str, ...] = ()
        self._is_replacement = False
        self._restarting: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False
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

    @property
    def pid(self) -> int | None:
        """Of the present process, where there is one."""
        return self._child.pid if self._child else None

    @property
    def pending(self) -> int:
        return len(self._waiting) + len(self._sent)

    async def start(self) -> None:
        """Start a process, and the module in it. Raises ServientError when that fails."""
        self._child = await self._launch()

    def begin(self, _: Call) -> None:
        """Its calls run elsewhere: none ends at once."""

    async def call(self, call: Call) -> CallResult:
        """Run one call when its turn comes. Raises as `Instance.call` does."""
        signature = self._module.signatures.get(call.function)
        if signature is None:
            raise NotFound(f"the module exports no function {call.function[:100]!r}")
        for name in (*call.inputs, *call.outputs):
            check_name(name)
        if not call.buffers:
            check_arguments(call.function, signature, call.arguments)
        if self._is_closed:
            raise NotFound("the deployment was removed")
        self._make_room()
        job = _Job(call, signature, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        self._pump()
        return await job.future

    def interrupt(self, call: Call) -> None:
        """Kill the process if this call is what it runs."""
        if self._child is not None and self._sent and self._sent[0].call is call:
            self._lose(self._child, "was ended: it was cancelled", ActionFailed)

    async def close(self) -> None:
        """Kill what runs; waiting callers get an error."""
        self._is_closed = True
        if self._child is not None:
            self._lose(self._child, "was ended: its deployment was removed", ActionFailed)
        for job in self._waiting:
            _fail(job, NotFound("the deployment was removed"))
        self._waiting.clear()
        if self._restarting is not None:
            self._restarting.cancel()
            await asyncio.wait((self._restarting,))
        if self._dying is not None:
            await self._dying.wait()

    def _make_room(self) -> None:
        """Raises Busy when too much is waiting, not counting callers that are gone."""
        limit = self._limits.queue_length
        if len(self._waiting) + len(self._sent) > limit:
            self._waiting = deque(job for job in self._waiting if not job.future.done())
        if len(self._waiting) + len(self._sent) > limit:
            raise Busy(f"{limit} calls are waiting already")

    # The process

    async def _launch(self) -> Child:
        """A process that is ready for calls, in the place of one that is gone."""
        if self._dying is not None:
            await self._dying.wait()
        leftovers = self._leftovers
        setup = await asyncio.to_thread(
            make_setup,
            self._module,
            self._folder,
            self._limits,
            self._isolation,
            leftovers,
            self._is_replacement,
        )
        self._sent_buffers = SentBuffers()
        child = await launch(self._folder.name, setup, self._ended, self._program)
        self._leftovers = ()
        self._is_replacement = True
        return child

    async def _restart(self) -> None:
        error: ServientError | None = None
        try:
            self._child = await self._launch()
        except ServientError as failure:
            error = failure
        except Exception:
            logger.exception("no process could be started for %s", self._folder.name)
            error = ActionFailed("the module does not start; the servient's log says why")
        finally:
            self._restarting = None
        while error and self._waiting:  # who waits next tries again
            job = self._waiting.popleft()
            if not job.future.done():
                job.future.set_exception(error)
                break
        self._pump()

    def _ended(self, child: Child, reason: str) -> None:
        if child is self._child:
            self._lose(child, f"trapped: {reason}", ModuleTrapped)

    def _lose(self, child: Child, reason: str, kind: type[ServientError]) -> None:
        """The process is of no use any more; its first call was what ran, the others did not begin."""
        self._child, self._dying = None, child
        self._count_loss()
        self._stop_timer()
        if self._sent:
            job = self._sent.popleft()
            self._leftovers = (*job.call.inputs, *job.call.outputs)
            _fail(job, kind(f"{job.call.function!r} {reason}"))
        while self._sent:
            self._waiting.appendleft(self._sent.pop())
        child.kill(reason)
        self._pump()

    def _count_loss(self) -> None:
        if not self._isolation.is_stateless:
            self.generation += 1

    # The calls

    def _pump(self) -> None:
        """Send what can be sent."""
        while self._waiting and self._waiting[0].future.done():
            self._waiting.popleft()
        if self._is_closed or not self._waiting or self._restarting is not None:
            return
        if self._child is None:
            name = f"restart of {self._folder.name}"
            self._restarting = asyncio.get_running_loop().create_task(self._restart(), name=name)
            return
        while self._waiting and self._may_send(self._waiting[0]):
            job = self._waiting.popleft()
            if not job.future.done():
                self._send(self._child, job)

    def _may_send(self, job: _Job) -> bool:
        """One that may take long is sent alone: until then, its caller may think better of it."""
        if not self._sent:
            return True
        return (
            len(self._sent) < AHEAD_CALLS and self._is_short(job) and self._is_short(self._sent[-1])
        )

    def _is_short(self, job: _Job) -> bool:
        return job.call.is_plain and self._placement.is_quick(job.call.function)

    def _send(self, child: Child, job: _Job) -> None:
        self._sent.append(job)
        if job.call.moments is not None:
            job.call.moments.enter()
        if len(self._sent) == 1:
            self._start_timer(job)
        limit = answer_limit_bytes(job.call, self._limits)
        answer = child.ask(call_to_parts(job.call, self._sent_buffers), limit)
        answer.add_done_callback(partial(self._answered, child, job))

    def _answered(self, child: Child, job: _Job, answer: asyncio.Future[Message]) -> None:
        if answer.exception() is not None or child is not self._child:
            return  # the process ended: see `_lose`
        try:
            self._settle(job, answer.result())
        except Malformed as error:
            self._lose(child, f"trapped: its process sent nonsense: {error}", ModuleTrapped)
            return
        self._sent.popleft()
        self._stop_timer()
        if self._sent:
            self._start_timer(self._sent[0])
        self._pump()

    def _settle(self, job: _Job, message: Message) -> None:
        error = parse_error(message, self._limits)
        if error is not None:
            if is_fatal(error) and job.call.command_line is None:  # a program has no state to lose
                self._count_loss()
            _fail(job, error)
            return
        result = parse_result(message, job.call, job.signature, self._limits)
        self._placement.record(job.call.function, result.seconds)
        if not job.future.done():
            job.future.set_result(result)

    def _start_timer(self, job: _Job) -> None:
        self._timer = asyncio.get_running_loop().call_later(
            job.call.deadline_seconds + GRACE_SECONDS, self._overran, job
        )

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _overran(self, job: _Job) -> None:
        if self._child is not None:
            reason = f"did not end within {job.call.deadline_seconds:g} s"
            self._lose(self._child, reason, DeadlineExceeded)


def _fail(job: _Job, error: ServientError) -> None:
    """A caller that is gone need not know."""
    if not job.future.done():
        job.future.set_exception(error)

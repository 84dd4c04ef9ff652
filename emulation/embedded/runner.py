"""Runs a topology on this machine: starts what holds it, listens to it, ends it."""

import asyncio
import contextlib
import logging
import pickle
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from emulation.embedded.assignment import Assignment
from emulation.embedded.board import Board, Status
from emulation.embedded.carrier import Carrying
from emulation.embedded.channel import BEGIN, STOP, make_channel, receive
from emulation.embedded.plan import make_plan
from emulation.embedded.provision import provide
from emulation.embedded.speed import with_limits
from emulation.errors import CannotIsolate, EmulationError
from emulation.metrics.records import LogRecord, State, StateRecord, TrafficRecord
from emulation.metrics.run import RunDescription, RunFolder
from emulation.metrics.sampler import Sampler
from emulation.topology.topology import Topology

logger = logging.getLogger(__name__)

READY_SECONDS = 60.0
END_SECONDS = 5.0
LOG_LINES_LIMIT = 500
RUNNER = "emulation"


@dataclass(frozen=True, slots=True)
class Run:
    """What is run, where it was described, and where its results go."""

    topology: Topology
    base: Path
    folder: RunFolder
    carrying: Carrying = Carrying.AUTO


class Embedded:
    """A running emulation, between entering and leaving its `async with` block."""

    def __init__(self, run: Run, watch: Callable[[Board], None] = lambda board: None) -> None:
        self._run = run
        self._watch = watch
        self._plan = make_plan(run.topology)
        self.board = Board({place.name: Status(place.name) for place in self._plan.places})
        self._stack = contextlib.AsyncExitStack()
        self._channel: socket.socket
        self._keeper: asyncio.subprocess.Process
        self._topology = run.topology
        self._changed = asyncio.Event()
        self._failure: EmulationError | None = None
        self.started_at = time.time()

    @property
    def logs(self) -> Path:
        return self._run.folder.path / "logs"

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        run = self._run
        work = run.folder.path / "work"
        await asyncio.to_thread(_make_folders, run.folder, self.logs, work)
        # Whoever holds the emulation removes it, too, should we be gone by then.
        self._stack.callback(shutil.rmtree, work, ignore_errors=True)
        self._topology = await with_limits(run.topology)
        topology = await provide(self._topology, run.base, work)
        self._recorder = self._stack.enter_context(run.folder.recorder(RUNNER))
        self._sampler = await self._stack.enter_async_context(Sampler(self._recorder))
        assignment = Assignment(
            topology,
            make_plan(topology),
            run.base,
            run.folder.metrics_path,
            self.logs,
            work,
            run.carrying,
        )
        self._channel, theirs = make_channel()
        self._stack.callback(self._channel.close)
        with theirs:
            await self._launch(assignment, theirs)
        loop = asyncio.get_running_loop()
        loop.add_reader(self._channel, self._listen)
        self._stack.callback(loop.remove_reader, self._channel)
        self._stack.push_async_callback(self._end)

    async def _launch(self, assignment: Assignment, channel: socket.socket) -> None:
        with (self.logs / "keeper.log").open("wb") as log:
            self._keeper = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "emulation.embedded.keeper", str(channel.fileno())),
                pass_fds=[channel.fileno()],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                # Ctrl-C is for the runner, which ends the rest in order.
                start_new_session=True,
            )
        assert self._keeper.stdin is not None  # noqa: S101 - a pipe
        self._keeper.stdin.write(pickle.dumps(assignment))
        self._keeper.stdin.close()

    async def ready(self, limit_seconds: float = READY_SECONDS) -> bool:
        """Whether all replicas are ready within the time. Schedules of links begin then.

        Raises EmulationError when there is no emulation.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_seconds):
                while not self.board.is_ready:
                    await self._next_change()
        self._check()
        with contextlib.suppress(OSError):
            self._channel.send(BEGIN)
        return self.board.is_ready

    async def run(self, seconds: float | None) -> None:
        """Until the time is over; None: until cancelled. Raises EmulationError when it breaks off."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    await self._next_change()

    async def _next_change(self) -> None:
        self._check()
        self._changed.clear()
        await self._changed.wait()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    # What is heard

    def _listen(self) -> None:
        while True:
            try:
                heard = receive(self._channel)
            except BlockingIOError:
                return
            except OSError:
                heard = None
            if heard is None:
                asyncio.get_running_loop().remove_reader(self._channel)
                self._fail(EmulationError(f"the emulation broke off: see {self.logs}"))
                return
            self._hear(*heard)
            self._changed.set()
            self._watch(self.board)

    def _fail(self, error: EmulationError) -> None:
        self._failure = self._failure or error
        self._changed.set()

    def _hear(self, message: dict[str, Any], process: int) -> None:
        match message.pop("kind"):
            case "ready":
                self._sampler.add(message["replica"], process)
                self._note(message["replica"], State.READY, time.time())
            case "figures":
                self.board.figures(**message)
            case "state":
                code = message.get("code")
                detail = f"exit status {code}" if code else ""
                self._note(message["replica"], State(message["state"]), message["at"], detail)
            case "traffic":
                self._note_traffic(message)
            case "mechanism":
                self.board.mechanism.append(message["words"])
            case "refused":
                self._fail(CannotIsolate(message["reason"]))

    def _note(self, replica: str, state: State, at: float, detail: str = "") -> None:
        if state is State.CRASHED:
            detail = f"{detail}: {_last_line(self.logs / f'{replica}.log')}"
        if state in (State.CRASHED, State.ENDED):
            self._sampler.remove(replica)
        self.board.changed(replica, state, detail)
        self._recorder.record(StateRecord(replica, at, state, detail))

    def _note_traffic(self, message: dict[str, Any]) -> None:
        board = self.board
        board.lateness_seconds = message["lateness_seconds"]
        board.worst_lateness_seconds = max(board.worst_lateness_seconds, board.lateness_seconds)
        board.missed += message["missed"]
        for count in message["counts"]:
            self._recorder.record(TrafficRecord(message["at"], *count))
            board.packets += count[4]
            board.data_bytes += count[5]
            board.dropped += count[6]

    # The end

    async def _end(self) -> None:
        with contextlib.suppress(OSError):
            self._channel.send(STOP)
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._keeper.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._keeper.kill()
            await self._keeper.wait()
        self._listen()  # to the last words
        for name, status in self.board.statuses.items():
            if status.state in (State.STARTED, State.READY):
                self._note(name, State.ENDED, time.time())
        await asyncio.to_thread(self._keep_logs)

    def _keep_logs(self) -> None:
        """The last lines that each replica wrote, with their times."""
        for name in self.board.statuses:
            file = self.logs / f"{name}.log"
            lines = file.read_text(errors="replace").splitlines() if file.is_file() else []
            at = self.started_at
            for line in lines[-LOG_LINES_LIMIT:]:
                time_text, _, rest = line.partition(" ")
                with contextlib.suppress(ValueError):
                    at, line = float(time_text), rest
                self._recorder.record(LogRecord(name, at, line))

    def describe(self, seconds: float) -> RunDescription:
        return RunDescription.of(
            self._topology,
            started_at=self.started_at,
            seconds=seconds,
            backend="embedded",
            mechanism=self.board.mechanism,
        )


def _make_folders(folder: RunFolder, logs: Path, work: Path) -> None:
    folder.make()
    for path in (logs, work):
        path.mkdir(exist_ok=True)
    for log in logs.glob("*.log"):
        log.unlink()


def _last_line(file: Path) -> str:
    """What a process said last: of a traceback, the error."""
    if not file.is_file():
        return ""
    lines = file.read_text(errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "")[:300]

"""The first process of an emulation's process namespace: starts replicas, and all ends with it."""

import gc
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from emulation.embedded.assignment import Assignment
from emulation.embedded.carrier import Report
from emulation.embedded.channel import BEGIN, Speaker
from emulation.embedded.ground import Ground
from emulation.embedded.kernel import Kernel
from emulation.embedded.limits import PERIOD_SECONDS, Holds, limits_of
from emulation.embedded.plan import Place
from emulation.node.replica import Replica, run_replica
from emulation.topology.node import Node, NodeResources, RestartPolicy

STOP_SECONDS, CARRIER_STOP_SECONDS = 1.5, 0.5
# A replica that crashes at once is not started again at once.
PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
STABLE_SECONDS = 30.0
REPLICA_NICENESS = 5
COUNTS_PER_MESSAGE = 300


def can_go_first() -> bool:
    """Whether this user's processes may go before all others (sched(7))."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        return False
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return True


@dataclass(slots=True)
class Life:
    """One replica: its process while it has one, and when it is to have one again."""

    place: Place
    process: int = 0
    started_at: float = 0.0
    start_at: float | None = 0.0
    crashes: int = 0


class First:
    """Process 1 of the emulation."""

    def __init__(
        self, ground: Ground, assignment: Assignment, holds: Holds, channel: socket.socket
    ) -> None:
        self._ground = ground
        self._holds = holds
        self._assignment = assignment
        self._channel = channel
        self._speaker = Speaker(channel)
        self._lives = [Life(place) for place in assignment.plan.places]
        self._limits = {
            life.place.name: limits
            for life in self._lives
            if (limits := limits_of(life.place.kind)) is not None
        }
        self._carrier = 0
        # What carries packets goes before all others, where this user may have that, else replicas come
        # after it: a frame that is late is a wrong latency.
        self._can_go_first = can_go_first()

    def run(self) -> int:
        """Until the runner says so or is gone."""
        mechanism = self._ground.prepare()
        # It may come before the carrier is prepared for it, and would be the end of it.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        self._carrier = self._fork("networks", self._carry)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
        gc.freeze()  # pages that nobody writes to are shared by all replicas
        awake, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        poll.register(awake, select.POLLIN)
        self._say(mechanism)
        while True:
            self._reap()
            wait = self._start_due()
            if self._limits:
                self._holds.tend(self._limited())
                wait = min(wait, PERIOD_SECONDS)
            for descriptor, _ in poll.poll(wait * 1000):
                if descriptor == awake:
                    with suppress(BlockingIOError):
                        os.read(awake, 4096)
                elif self._channel.recv(100) == BEGIN:
                    os.kill(self._carrier, signal.SIGUSR1)
                else:  # to stop, or the runner is gone
                    self._stop()
                    return 0

    def _say(self, mechanism: list[str]) -> None:
        if self._limits:
            mechanism.append(self._holds.words)
        for words in mechanism:
            self._speaker.say("mechanism", words=words)

    def _limited(self) -> dict[str, tuple[int, NodeResources]]:
        return {
            life.place.name: (life.process, self._limits[life.place.name])
            for life in self._lives
            if life.process and life.place.name in self._limits
        }

    # Before replicas

    def _carry(self) -> None:
        def tell(report: Report) -> None:
            counts = report.counts
            for first in range(0, max(len(counts), 1), COUNTS_PER_MESSAGE):
                self._speaker.say(
                    "traffic",
                    at=time.time(),
                    counts=counts[first : first + COUNTS_PER_MESSAGE],
                    lateness_seconds=report.lateness_seconds,
                    missed=report.missed if first == 0 else 0,
                )

        if self._can_go_first:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        self._ground.carrier(tell).run()

    # Processes

    def _fork(self, name: str, work: Callable[[], None]) -> int:
        sys.stdout.flush()
        process = os.fork()
        if not process:
            self._be_child(name, work)
        return process

    def _be_child(self, name: str, work: Callable[[], None]) -> NoReturn:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            os.setsid()
            Kernel().end_with_parent(signal.SIGKILL)
            self._speaker = Speaker(self._channel)  # what the parent has not sent is not ours
            log = os.open(
                self._assignment.logs / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644
            )
            os.dup2(log, 1)
            os.dup2(log, 2)
            work()
            status = 0
        except SystemExit as ending:
            status = ending.code if isinstance(ending.code, int) else 1
        except BaseException:  # noqa: BLE001 - a child must not go on as its parent
            sys.excepthook(*sys.exc_info())
        finally:
            with suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    def _start_due(self) -> float:
        """Start the replicas whose time has come; after how long the next one's has."""
        now = time.monotonic()
        for life in self._lives:
            if life.start_at is not None and life.start_at <= now:
                life.start_at = None
                life.started_at = now
                self._speaker.say("state", replica=life.place.name, state="started", at=time.time())
                life.process = self._fork(life.place.name, lambda life=life: self._live(life))  # type: ignore[misc] # bound now
        times = [life.start_at - now for life in self._lives if life.start_at is not None]
        return max(min(times, default=60.0), 0.01)

    def _live(self, life: Life) -> None:
        place, assignment = life.place, self._assignment
        if not self._can_go_first:
            os.nice(REPLICA_NICENESS)
        if place.name in self._limits:
            self._holds.enter(place.name, self._limits[place.name])
        folder = assignment.work / place.name
        folder.mkdir(exist_ok=True)
        seat = self._ground.enter(place, folder)
        run_replica(
            Replica(
                place.name,
                place.kind,
                place.hosts,
                seat.ports,
                assignment.base,
                folder,
                assignment.metrics / f"{place.name}.sqlite",
                f"{assignment.topology.seed}/{place.name}",
                address=seat.address,
                leaves_at_once=True,
                resolves_by_python=seat.has_own_names,
            ),
            self._speaker,
        )

    def _reap(self) -> None:
        while True:
            try:
                process, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not process:
                return
            if process == self._carrier:
                self._speaker.say("refused", reason="the networks ended: see logs/networks.log")
            for life in self._lives:
                if life.process == process:
                    self._ended(life, os.waitstatus_to_exitcode(status))

    def _ended(self, life: Life, code: int) -> None:
        life.process = 0
        now = time.monotonic()
        has_failed = code != 0
        life.crashes = 0 if now - life.started_at > STABLE_SECONDS else life.crashes + has_failed
        self._speaker.say(
            "state",
            replica=life.place.name,
            state="crashed" if has_failed else "ended",
            at=time.time(),
            code=code,
        )
        kind = life.place.kind
        policy = kind.restart if isinstance(kind, Node) else RestartPolicy.ALWAYS
        if policy is RestartPolicy.ALWAYS or (policy is RestartPolicy.ON_FAILURE and has_failed):
            life.start_at = now + PAUSES_SECONDS[min(life.crashes, len(PAUSES_SECONDS) - 1)]

    def _stop(self) -> None:
        """Let replicas end by themselves, for a moment; what remains ends with this process."""
        for life in self._lives:
            if life.process:
                with suppress(ProcessLookupError):
                    os.kill(life.process, signal.SIGTERM)
                    os.kill(life.process, signal.SIGCONT)
        self._wait_for({life.process for life in self._lives if life.process}, STOP_SECONDS)
        # Last, since replicas say goodbye to each other.
        with suppress(ProcessLookupError):
            os.kill(self._carrier, signal.SIGTERM)
        self._wait_for({self._carrier}, CARRIER_STOP_SECONDS)
        self._kill_groups()

    def _kill_groups(self) -> None:
        """What replicas have started and left behind, where no process namespace ends it."""
        for life in self._lives:
            if life.process:
                with suppress(OSError):
                    os.killpg(life.process, signal.SIGKILL)

    def _wait_for(self, running: set[int], limit_seconds: float) -> None:
        end = time.monotonic() + limit_seconds
        while running and time.monotonic() < end:
            with suppress(ChildProcessError):
                process, _ = os.waitpid(-1, os.WNOHANG)
                running.discard(process)
                if process:
                    continue
            time.sleep(0.01)

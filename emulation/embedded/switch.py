"""The switch between replicas: takes frames from their interfaces, and hands them on when due."""

import heapq
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass

from emulation.embedded.carrier import Report, Tell
from emulation.embedded.kernel import Kernel
from emulation.embedded.packets import missed, open_packets
from emulation.embedded.plan import Plan, Port
from emulation.embedded.shaper import Fate, Line
from emulation.embedded.traffic import ARP, Traffic, classify

FRAME_BYTES = 65_600
# What all frames on their way may take; more is dropped as if a queue were full.
WAITING_LIMIT_BYTES = 512 * 2**20
REPORT_SECONDS = 1.0
BATCH_FRAMES = 32


@dataclass(eq=False, slots=True)
class End:
    """A replica's interface, as the switch sees it."""

    replica: str
    port: Port
    line: Line
    socket: socket.socket
    latest: dict[bytes, float]
    """When the last frame to another end arrives there: none overtakes it."""


class Switch:
    """All networks of an emulation. Made in the namespace that holds the interfaces' other ends."""

    def __init__(self, plan: Plan, ports: dict[int, str], seed: int, tell: Tell) -> None:
        self._ports = ports
        self._tell = tell
        self._kernel = Kernel()
        self._traffic = Traffic()
        self._waiting: list[tuple[float, int, bool, End, End, bytes, str]] = []
        self._waiting_bytes = 0
        self._sequence = 0
        self._lateness = 0.0
        self._start = time.monotonic()
        self._ends: dict[int, End] = {}
        self._networks: dict[str, dict[bytes, End]] = {}
        shared: dict[str, Line] = {}
        for place in plan.places:
            for port in place.ports:
                own_seed = f"{seed}/{port.network}/{place.name}"
                if port.is_shared:
                    line = shared.setdefault(
                        port.network, Line(port.link, f"{seed}/{port.network}")
                    )
                else:
                    line = Line(port.link, own_seed)
                end = End(place.name, port, line, open_packets(port.hub_interface), {})
                self._ends[end.socket.fileno()] = end
                self._networks.setdefault(port.network, {})[port.mac] = end

    def run(self) -> None:
        """Until SIGTERM. On SIGUSR1, the links' schedules begin."""
        signal.signal(signal.SIGUSR1, lambda number, frame: self._begin())
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
        try:
            self._run()
        finally:
            self._report()

    def _run(self) -> None:
        self._kernel.sharpen_timers()
        timer = self._kernel.make_timer()
        poll = select.epoll()
        poll.register(timer, select.EPOLLIN)
        for descriptor in self._ends:
            poll.register(descriptor, select.EPOLLIN)
        report_at = time.monotonic() + REPORT_SECONDS
        while True:
            now = time.monotonic()
            self._hand_on(now)
            if now >= report_at:
                self._report()
                report_at = now + REPORT_SECONDS
            due = self._waiting[0][0] if self._waiting else report_at
            self._kernel.set_timer(timer, min(due, report_at))
            for descriptor, _ in poll.poll():
                if descriptor == timer:
                    _clear(timer)
                else:
                    self._take(self._ends[descriptor])

    def _begin(self) -> None:
        now = time.monotonic() - self._start
        for end in self._ends.values():
            end.line.begin(now)

    def _take(self, end: End) -> None:
        for _ in range(BATCH_FRAMES):
            try:
                frame = end.socket.recv(FRAME_BYTES)
            except OSError:  # nothing more to read, or an interface that is down for a moment
                return
            self._forward(end, frame, time.monotonic())

    def _forward(self, end: End, frame: bytes, now: float) -> None:
        members = self._networks[end.port.network]
        receiver = members.get(frame[:6])
        if receiver is not None:
            receivers: Iterable[End] = (receiver,)
        elif frame[0] & 1:  # broadcast and multicast
            receivers = (other for other in members.values() if other is not end)
        else:
            return
        protocol = classify(frame, self._ports)
        if int.from_bytes(frame[12:14], "big") == ARP:
            for other in receivers:
                self._send(other, frame)
            return
        left = end.line.send(now - self._start, len(frame))
        for other in receivers:
            if isinstance(left, Fate):
                self._drop(end, other, protocol, left)
                continue
            self._travel(end, other, frame, left, protocol)
            if end.line.duplicates():
                self._travel(end, other, frame, left, protocol)

    def _travel(self, end: End, other: End, frame: bytes, left: float, protocol: str) -> None:
        arrival = end.line.travel(left, other.line, end.replica)
        if isinstance(arrival, Fate):
            self._drop(end, other, protocol, arrival)
        elif self._waiting_bytes > WAITING_LIMIT_BYTES:
            self._drop(end, other, protocol, Fate.QUEUE)
        else:
            if end.line.is_ordered:
                arrival = end.latest[other.port.mac] = max(
                    arrival, end.latest.get(other.port.mac, 0.0)
                )
            self._wait(arrival + self._start, end.line is other.line, end, other, frame, protocol)

    def _wait(
        self, at: float, is_through: bool, end: End, other: End, frame: bytes, protocol: str
    ) -> None:
        self._sequence += 1
        self._waiting_bytes += len(frame)
        item = (at, self._sequence, is_through, end, other, frame, protocol)
        heapq.heappush(self._waiting, item)

    def _hand_on(self, now: float) -> None:
        """Hand on the frames that are due; those before a line of the receiver's own enter it."""
        waiting = self._waiting
        while waiting and waiting[0][0] <= now:
            due, _, is_through, end, other, frame, protocol = heapq.heappop(waiting)
            self._waiting_bytes -= len(frame)
            if is_through:
                self._lateness = max(self._lateness, now - due)
                self._send(other, frame)
                names = (end.port.network, end.replica, other.replica, protocol)
                self._traffic.passed(*names, len(frame))
                continue
            arrival = other.line.receive(due - self._start, len(frame), end.line)
            if isinstance(arrival, Fate):
                self._drop(end, other, protocol, arrival)
            else:
                self._wait(arrival + self._start, True, end, other, frame, protocol)

    def _send(self, end: End, frame: bytes) -> None:
        try:
            end.socket.send(frame)
        except OSError:  # its interface is down, or its buffer full
            self._traffic.dropped(end.port.network, "", end.replica, "other", Fate.QUEUE)

    def _drop(self, end: End, other: End, protocol: str, why: Fate) -> None:
        self._traffic.dropped(end.port.network, end.replica, other.replica, protocol, why)

    def _report(self) -> None:
        lost = sum(missed(end.socket) for end in self._ends.values())
        self._tell(Report(self._traffic.take(), self._lateness, lost))
        self._lateness = 0.0


def _clear(timer: int) -> None:
    try:
        os.read(timer, 8)
    except BlockingIOError:
        return

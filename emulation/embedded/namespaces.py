"""Replicas in network namespaces of their own: with any port and name, and multicast."""

import socket
from contextlib import suppress
from pathlib import Path

from emulation.embedded.assignment import Assignment
from emulation.embedded.carrier import Carrier, Carrying, Tell
from emulation.embedded.ground import Seat
from emulation.embedded.kernel import (
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWUTS,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    Kernel,
)
from emulation.embedded.kernel_networks import KernelNetworks, find_obstacle
from emulation.embedded.plan import Place
from emulation.embedded.switch import Switch
from emulation.embedded.wiring import wire
from emulation.errors import CannotIsolate

HOSTS, RESOLVER = Path("/etc/hosts"), Path("/etc/resolv.conf")
EVERYWHERE = "0.0.0.0"  # noqa: S104 - in a network of the emulation's own
KERNEL = "netem and tbf of the kernel delay, limit and drop packets"
SWITCH = "a switch in user space, between packet sockets, delays, drops and counts packets"


class Namespaces:
    """Made in the first process of a process namespace, in a network namespace that is the hub."""

    def __init__(self, kernel: Kernel, assignment: Assignment) -> None:
        self._kernel = kernel
        self._assignment = assignment
        self._namespaces: dict[str, int] = {}
        self._is_by_kernel = False

    def prepare(self) -> list[str]:
        self._mount()
        words = self._choose()
        wired = wire(self._kernel, self._assignment.plan)
        self._namespaces = wired.namespaces
        return [words, f"TCP avoids congestion by {wired.congestion_control}"]

    def _mount(self) -> None:
        """Processes see those of their namespace, where the machine lets us show them."""
        with suppress(OSError):
            self._kernel.mount("proc", Path("/proc"), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
        resolver = self._assignment.work / "resolv.conf"
        resolver.write_text("")
        if RESOLVER.is_file():
            with suppress(OSError):
                self._kernel.bind(resolver, RESOLVER)

    def _choose(self) -> str:
        """By what packets are carried, in words. Raises CannotIsolate."""
        carrying = self._assignment.carrying
        if carrying is Carrying.SWITCH:
            return SWITCH
        obstacle = find_obstacle(self._assignment.plan)
        if obstacle is None:
            self._is_by_kernel = True
            return KERNEL
        if carrying is Carrying.KERNEL:
            raise CannotIsolate(f"the kernel cannot make these networks: {obstacle}")
        return f"{SWITCH}, since the kernel does not: {obstacle}"

    def carrier(self, tell: Tell) -> Carrier:
        kind = KernelNetworks if self._is_by_kernel else Switch
        assignment = self._assignment
        return kind(assignment.plan, assignment.ports(), assignment.topology.seed, tell)

    def enter(self, place: Place, folder: Path) -> Seat:
        self._kernel.enter(self._namespaces[place.name], CLONE_NEWNET)
        self._kernel.unshare(CLONE_NEWNS | CLONE_NEWUTS)
        socket.sethostname(place.name)
        hosts = folder / "hosts"
        hosts.write_text(self._assignment.plan.hosts_file(place))
        self._kernel.bind(hosts, HOSTS)
        return Seat(EVERYWHERE, self._assignment.topology.ports)

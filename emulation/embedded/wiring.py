"""Network namespaces with interfaces and addresses, one for each replica, and the hub's."""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from emulation.embedded.kernel import CLONE_NEWNET, Kernel
from emulation.embedded.netlink import Interfaces
from emulation.embedded.plan import Place, Plan

OWN_NAMESPACE = Path("/proc/self/ns/net")
PREFIX_BITS = 16
CONGESTION = Path("/proc/sys/net/ipv4/tcp_congestion_control")
# The first that may be had, and not what this machine has: runs are compared across machines, and BBR,
# which some have, leaves a line of one and a half seconds idle for a quarter of the time.
CONTROLS = ("cubic", "reno")


class Wired(NamedTuple):
    """Descriptors of the replicas' namespaces, which last as long as these are open."""

    namespaces: dict[str, int]
    congestion_control: str


def wire(kernel: Kernel, plan: Plan) -> Wired:
    """Make a namespace for each replica, connected to the one that this process is in."""
    control = ""
    hub = os.open(OWN_NAMESPACE, os.O_RDONLY | os.O_CLOEXEC)
    namespaces: dict[str, int] = {}
    with Interfaces() as here:
        here.set_up("lo")
        for place in plan.places:
            kernel.unshare(CLONE_NEWNET)
            own = os.open(OWN_NAMESPACE, os.O_RDONLY | os.O_CLOEXEC)
            control = _choose_congestion_control()
            with Interfaces() as there:
                kernel.enter(hub, CLONE_NEWNET)
                _connect(here, there, place, own)
            namespaces[place.name] = own
    os.close(hub)
    return Wired(namespaces, control)


def _choose_congestion_control() -> str:
    """Of this network namespace; its name (tcp(7))."""
    for name in CONTROLS:
        with suppress(OSError):  # not everybody may have every one
            CONGESTION.write_text(name)
            return name
    return CONGESTION.read_text().strip()


def _connect(here: Interfaces, there: Interfaces, place: Place, namespace: int) -> None:
    there.set_up("lo")
    for position, port in enumerate(place.ports):
        here.add_pair(port.hub_interface, port.interface, port.mac, namespace)
        there.send_plain_packets(port.interface)
        there.set_up(port.interface)
        here.set_up(port.hub_interface)
        network = ".".join(port.address.split(".")[:2])
        there.add_address(port.interface, port.address, PREFIX_BITS, f"{network}.255.255")
        if position == 0:
            there.add_route("224.0.0.0", 4, port.interface)

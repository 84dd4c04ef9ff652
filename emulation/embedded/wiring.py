"""Network namespaces with interfaces and addresses, one for each replica, and the hub's."""

import os
from pathlib import Path

from emulation.embedded.kernel import CLONE_NEWNET, Kernel
from emulation.embedded.netlink import Interfaces
from emulation.embedded.plan import Place, Plan

OWN_NAMESPACE = Path("/proc/self/ns/net")
PREFIX_BITS = 16


def wire(kernel: Kernel, plan: Plan) -> dict[str, int]:
    """Make a namespace for each replica, connected to the one that this process is in.

    Returns descriptors of the namespaces, which last as long as these are open.
    """
    hub = os.open(OWN_NAMESPACE, os.O_RDONLY | os.O_CLOEXEC)
    namespaces: dict[str, int] = {}
    with Interfaces() as here:
        here.set_up("lo")
        for place in plan.places:
            kernel.unshare(CLONE_NEWNET)
            own = os.open(OWN_NAMESPACE, os.O_RDONLY | os.O_CLOEXEC)
            with Interfaces() as there:
                kernel.enter(hub, CLONE_NEWNET)
                _connect(here, there, place, own)
            namespaces[place.name] = own
    os.close(hub)
    return namespaces


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

"""Replicas on loopback addresses of their own: the last resort, where there are no namespaces."""

import socket
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from emulation.embedded.assignment import Assignment
from emulation.embedded.carrier import Carrier, Tell
from emulation.embedded.ground import Seat
from emulation.embedded.plan import Place
from emulation.embedded.relays import Addresses, Relays
from emulation.embedded.settle import settle
from emulation.errors import CannotIsolate
from emulation.topology.topology import TopologyPorts

# Relays have 127.<network>.….…, of which there are 200 at most; the replicas behind them are here.
REPLICAS_NETWORK = 201
REPLICAS_LIMIT = 250 * 250
# What is added to ports that this user may not have.
SHIFT = 8000
WORDS = (
    "a relay for each port, between loopback addresses, delays and limits streams and datagrams:"
    " no multicast, and what a network loses of a stream comes later"
)


class Loopback:
    """All in the network namespace of the machine, told apart by their addresses."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        places = assignment.plan.places
        if len(places) > REPLICAS_LIMIT:
            raise CannotIsolate(f"at most {REPLICAS_LIMIT} replicas fit on loopback addresses")
        self._addresses = Addresses(
            {
                place.name: {port.network: _relay_address(port.address) for port in place.ports}
                for place in places
            },
            {place.name: _replica_address(number) for number, place in enumerate(places)},
        )
        self._ports = _possible(assignment.topology.ports, _replica_address(0))

    def prepare(self) -> list[str]:
        ports = self._assignment.topology.ports
        shifted = [
            f"{field.name} is {getattr(self._ports, field.name)}"
            for field in fields(ports)
            if getattr(ports, field.name) != getattr(self._ports, field.name)
        ]
        words = f"ports that this user may not have are others: {', '.join(shifted)}"
        return [WORDS, words] if shifted else [WORDS]

    def carrier(self, tell: Tell) -> Carrier:
        assignment = self._assignment
        seed = assignment.topology.seed
        return Relays(assignment.plan, self._addresses, self._ports, seed, tell)

    def enter(self, place: Place, folder: Path) -> Seat:
        own = self._addresses.replicas[place.name]
        mine = {port.address for port in place.ports}
        settle(
            own,
            {
                name: own if address in mine else _relay_address(address)
                for name, address in self._assignment.plan.addresses(place).items()
            },
        )
        return Seat(own, self._ports, has_own_names=True)


def _relay_address(address: str) -> str:
    """Like that of the plan, in the loopback network."""
    return f"127.{address.partition('.')[2]}"


def _replica_address(number: int) -> str:
    high, low = divmod(number, 250)
    return f"127.{REPLICAS_NETWORK}.{high}.{low + 1}"


def _possible(ports: TopologyPorts, address: str) -> TopologyPorts:
    """The same, with others for those below what this user may have."""
    found: dict[str, Any] = {}
    for field in fields(ports):
        port = getattr(ports, field.name)
        if isinstance(port, int) and not _may_listen(address, port):
            found[field.name] = port + SHIFT
    return replace(ports, **found)


def _may_listen(address: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        try:
            trial.bind((address, port))
        except PermissionError:
            return False
        except OSError:  # taken: another run's, perhaps
            return True
    return True

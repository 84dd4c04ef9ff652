"""Where modules may be fetched from: which origins, at which addresses."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, TypeAlias

from servient.errors import FetchFailed

if TYPE_CHECKING:
    import httpx

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_PORTS = {"http": 80, "https": 443}
ADDRESSES_LIMIT = 8
# Where clouds tell a machine its secrets, besides 169.254.0.0/16, which is link-local anyway.
_METADATA = frozenset(
    map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200", "168.63.129.16"))
)


def _nowhere() -> str | None:
    """Without an orchestrator."""
    return None


@dataclass(frozen=True, slots=True)
class Reach:
    """`is_open`: everything may be fetched from everywhere. Else what is listed, and nothing else.

    `origins` are written scheme://host[:port]. An origin that is named may have an address of the
    inner network; one that matches only by a * may not. Addresses in `networks` may have any name.
    `orchestrator` gives the URL of the one that is registered, whose origin counts as named.
    """

    is_open: bool = False
    origins: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    orchestrator: Callable[[], str | None] = field(default=_nowhere)

    async def resolve(self, url: "httpx.URL") -> tuple[str, ...]:
        """The addresses at which a URL may be fetched, the best first.

        Nothing is looked up for origins that are not listed. Raises FetchFailed.
        """
        origin = origin_of(url)
        rule = self._rule(origin, self._orchestrator_origin(url))
        found = await _look_up(url.host, _port_of(url))
        allowed = [address for address in found if rule(address)]
        if not allowed:
            shown = ", ".join(map(str, found))
            raise FetchFailed(f"{origin} is at {shown}, where modules must not be fetched from")
        return tuple(map(str, allowed))

    def _rule(self, origin: str, orchestrator: str | None) -> Callable[[Address], bool]:
        """Which addresses of an origin will do. Raises FetchFailed when none would."""
        if self.is_open:
            return _any_address
        if origin in self.origins or origin == orchestrator:
            return lambda address: _may_be_named(address, origin) or self._is_listed(address)
        if any(fnmatchcase(origin, listed) for listed in self.origins if "*" in listed):
            return lambda address: _is_public(address) or self._is_listed(address)
        if self.networks:
            return self._is_listed
        raise FetchFailed(f"{origin} is none of the origins that modules are fetched from")

    def _is_listed(self, address: Address) -> bool:
        return any(address in network for network in self.networks)

    def _orchestrator_origin(self, fetched: "httpx.URL") -> str | None:
        """Of a URL that is read as the other one is: what they are compared by is their text."""
        url = self.orchestrator()
        return origin_of(fetched.join(url)) if url else None


def origin_of(url: "httpx.URL") -> str:
    """Scheme, host and port, written in one way (RFC 6454 section 6.2)."""
    host = f"[{url.host}]" if ":" in url.host else url.host.rstrip(".").lower()
    return f"{url.scheme}://{host}:{_port_of(url)}"


def parse_reach(entries: Iterable[str]) -> tuple[frozenset[str], tuple[Network, ...]]:
    """Origins and networks as they are configured. Raises ValueError, naming the entry."""
    origins, networks = set(), []
    for entry in entries:
        if "://" not in entry:
            try:
                networks.append(ipaddress.ip_network(entry))
            except ValueError:
                raise ValueError(
                    f"{entry!r} is neither scheme://host[:port] nor a network"
                ) from None
            continue
        scheme, _, rest = entry.partition("://")
        if scheme not in _PORTS or not rest or set(rest) & set("/?#@ "):
            raise ValueError(f"{entry!r} is not http[s]://host[:port]")
        host, colon, port = rest.rpartition(":")
        is_with_port = bool(colon) and (port.isdigit() or port == "*")
        name = (host if is_with_port else rest).rstrip(".").lower()
        origins.add(f"{scheme}://{name}:{port if is_with_port else _PORTS[scheme]}")
    return frozenset(origins), tuple(networks)


async def _look_up(host: str, port: int) -> tuple[Address, ...]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchFailed(f"{host[:200]} has no address: {error}") from error
    addresses = (ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found)
    return tuple(dict.fromkeys(map(_plain, addresses)))[:ADDRESSES_LIMIT]


def _plain(address: Address) -> Address:
    """An IPv4 address that hides in an IPv6 one is judged as what it is."""
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return inner or address


def _any_address(_: Address) -> bool:
    return True


def _may_be_named(address: Address, origin: str) -> bool:
    """A name may lead into the inner network; to a link's own addresses only the number may."""
    is_odd = address.is_link_local or address.is_multicast or address.is_unspecified
    if is_odd or address in _METADATA:
        return str(address) in origin and not address.is_multicast
    return True


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast and address not in _METADATA


def _port_of(url: "httpx.URL") -> int:
    return url.port or _PORTS.get(url.scheme, 0)

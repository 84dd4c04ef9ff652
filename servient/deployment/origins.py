"""Whether a URL leads to this very servient."""

import ipaddress
from collections.abc import Iterable
from typing import Protocol
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


class HttpServer(Protocol):
    """What serves HTTP, or HTTPS; `origin` says which."""

    @property
    def port(self) -> int: ...

    @property
    def origin(self) -> str: ...


class Origins:
    """The origins under which this servient is known: its names and addresses with its HTTP port.

    `http` is the binding, None where HTTP is not served; it knows its port once it is started. Names
    are compared as they are written, not looked up: a step that is not recognized takes the way over
    the network, and arrives all the same.
    """

    def __init__(self, hosts: Iterable[str], http: HttpServer | None) -> None:
        self._http = http
        self._hosts = frozenset(map(_same_host, hosts))

    def include(self, url: str, own_url: str = "") -> bool:
        """`own_url` is where an orchestrator says that this servient is, if it does."""
        found = origin_of(url)
        if own_url and found == origin_of(own_url):
            return True
        scheme, host, port = found
        if self._http is None or scheme != urlsplit(self._http.origin).scheme:
            return False
        return port == self._http.port and host in self._hosts


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of an http or https URL (RFC 6454, section 4)."""
    parts = urlsplit(url)
    return parts.scheme, _same_host(parts.hostname or ""), parts.port or _PORTS.get(parts.scheme)


def _same_host(host: str) -> str:
    """One spelling for each host; all that mean the own machine are one."""
    name = host.strip("[]").rstrip(".").lower()
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return "localhost" if name.endswith(".localhost") else name
    return "localhost" if address.is_loopback else str(address)

"""Has a process live at one loopback address, where it has neither a network nor hosts(5) of its own."""

import socket
from typing import Any

EVERYWHERE = ("", "0.0.0.0")  # noqa: S104 - what is replaced


def settle(own: str, addresses: dict[str, str]) -> None:
    """Know these names; listen at one's own address instead of at all; call others from there.

    By all that uses Python's `socket`. What does not is libc's own callers, and uvloop.
    """
    _know(addresses)
    _be_at(own)


def _know(addresses: dict[str, str]) -> None:
    getaddrinfo, gethostbyname = socket.getaddrinfo, socket.gethostbyname

    def look_up(host: Any, *arguments: Any, **options: Any) -> Any:
        return getaddrinfo(known(host, addresses), *arguments, **options)

    def look_up_address(host: str) -> str:
        return gethostbyname(known(host, addresses))

    socket.getaddrinfo = look_up
    socket.gethostbyname = look_up_address


def known(host: Any, addresses: dict[str, str]) -> Any:
    """The address of a name that is known; else what was given."""
    name = host.decode(errors="replace") if isinstance(host, bytes) else host
    return addresses.get(name, host) if isinstance(name, str) else host


def _be_at(own: str) -> None:
    bind, connect = socket.socket.bind, socket.socket.connect

    def bind_here(self: socket.socket, address: Any) -> None:
        is_anywhere = self.family == socket.AF_INET and address[0] in EVERYWHERE
        bind(self, (own, *address[1:]) if is_anywhere else address)

    def connect_from_here(self: socket.socket, address: Any) -> None:
        is_unbound = self.family == socket.AF_INET and self.getsockname()[1] == 0
        if is_unbound and address[0].startswith("127."):
            bind(self, (own, 0))
        connect(self, address)

    socket.socket.bind = bind_here  # type: ignore[assignment,method-assign] # in a process that is ours
    socket.socket.connect = connect_from_here  # type: ignore[assignment,method-assign] # likewise

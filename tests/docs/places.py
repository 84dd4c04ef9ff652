"""Ports and addresses of the pages, and where they are in a test, which nobody else hears."""

import random
import re
import socket
from collections.abc import Mapping

# HTTP and, right after it, WebSockets; CoAP; MQTT; file servers; collectors.
PORTS = (*range(5000, 5006), 5683, 5684, 1883, 1884, 8000, 9090, 4318)
# Below those that systems give away by themselves.
LOWEST, HIGHEST = 20000, 32000
BLOCK = len(PORTS)
_NUMBER = re.compile(r"(?<![\d.])(\d{4,5})(?![\d.]\d|\d)")
_HOSTS = {"0.0.0.0": "127.0.0.1", "192.168.1.20": "127.0.0.1"}


class Places:
    """Replaces both ways."""

    def __init__(self) -> None:
        self._here: Mapping[str, str] = _free_ports()
        self._there = {here: there for there, here in self._here.items()}

    def port(self, number: int) -> str:
        return self._here[str(number)]

    def to_here(self, text: str) -> str:
        for there, here in _HOSTS.items():
            text = text.replace(there, here)
        return _NUMBER.sub(lambda match: self._here.get(match[1], match[1]), text)

    def to_page(self, text: str) -> str:
        return _NUMBER.sub(lambda match: self._there.get(match[1], match[1]), text)


def _free_ports() -> dict[str, str]:
    """As many in a row as are wanted, so that neighbours stay neighbours."""
    for _ in range(100):
        first = random.randrange(LOWEST, HIGHEST - BLOCK)
        found = range(first, first + BLOCK)
        if all(_is_free(port) for port in found):
            return {str(there): str(here) for there, here in zip(PORTS, found, strict=True)}
    raise OSError("no free ports in a row")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True

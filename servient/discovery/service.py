"""Where a servient is, as others are told."""

import asyncio
import socket
from dataclasses import dataclass
from typing import Any

WEBTHING = "_webthing._tcp.local."


@dataclass(frozen=True, slots=True)
class Service:
    """Where the servient's HTTP binding is, and that of CoAP. `host` is a label of no other machine."""

    name: str
    address: str
    port: int
    host: str
    coap_port: int | None = None

    @property
    def properties(self) -> dict[str, str]:
        return {"path": "/", "tls": "0", "address": self.address}

    def registration(self) -> dict[str, Any]:
        """The same for an orchestrator that is told over HTTP."""
        return {
            "name": self.name,
            "type": WEBTHING,
            "port": self.port,
            "properties": self.properties,
            "addresses": [self.address],
            "host": f"{self.host}.local.",
        }


def is_own_address(address: str) -> bool:
    """Whether it belongs to one of this machine's network interfaces."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


async def find_address(host: str) -> str | None:
    """The IPv4 address of a host, None when it has none."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, None, family=socket.AF_INET, type=socket.SOCK_STREAM)
    except OSError:
        return None
    return str(found[0][4][0])

"""What is told about a servient where services are discovered: DNS-SD and an orchestrator's registry."""

import asyncio
import socket
from dataclasses import dataclass
from typing import Any

from zeroconf.asyncio import AsyncServiceInfo

WEBTHING = "_webthing._tcp.local."
WOT = "_wot._tcp.local."
WOT_UDP = "_wot._udp.local."
TD_PATH = "/.well-known/wot"


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

    def webthing(self) -> AsyncServiceInfo:
        """For orchestrators. One address: they look at the first only."""
        return self._info(WEBTHING, self.properties)

    def wot(self) -> AsyncServiceInfo:
        """For consumers of the Web of Things (WoT Discovery, section 6.2)."""
        return self._info(WOT, _directory("http"))

    def wot_udp(self) -> AsyncServiceInfo | None:
        """The same over CoAP."""
        if self.coap_port is None:
            return None
        return self._info(WOT_UDP, _directory("coap"), self.coap_port)

    def _info(
        self, kind: str, properties: dict[str, str], port: int | None = None
    ) -> AsyncServiceInfo:
        return AsyncServiceInfo(
            kind,
            f"{self.name}.{kind}",
            port or self.port,
            properties=properties,
            server=f"{self.host}.local.",
            parsed_addresses=[self.address],
        )

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


def _directory(scheme: str) -> dict[str, str]:
    return {"td": TD_PATH, "type": "Directory", "scheme": scheme}


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

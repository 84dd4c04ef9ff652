"""What is told about a servient by DNS-SD (RFC 6763)."""

from zeroconf.asyncio import AsyncServiceInfo

from servient.discovery.service import WEBTHING, Service

WOT = "_wot._tcp.local."
WOT_UDP = "_wot._udp.local."
TD_PATH = "/.well-known/wot"


def for_orchestrators(service: Service) -> AsyncServiceInfo:
    """One address: they look at the first only."""
    return _info(service, WEBTHING, service.properties, service.port)


def for_consumers(service: Service) -> list[AsyncServiceInfo]:
    """Of the Web of Things (WoT Discovery, section 6.2)."""
    infos = [_info(service, WOT, _directory("http"), service.port)]
    if service.coap_port is not None:
        infos.append(_info(service, WOT_UDP, _directory("coap"), service.coap_port))
    return infos


def _directory(scheme: str) -> dict[str, str]:
    return {"td": TD_PATH, "type": "Directory", "scheme": scheme}


def _info(service: Service, kind: str, properties: dict[str, str], port: int) -> AsyncServiceInfo:
    return AsyncServiceInfo(
        kind,
        f"{service.name}.{kind}",
        port,
        properties=properties,
        server=f"{service.host}.local.",
        parsed_addresses=[service.address],
    )

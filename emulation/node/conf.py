"""What an application is told of its surroundings, under WoTemu's names."""

from enum import StrEnum
from typing import NamedTuple

from emulation.topology.node import Node
from emulation.topology.topology import TopologyPorts


class ConfigVars(StrEnum):
    """The environment variables that say the same."""

    PORT_CATALOGUE = "PORT_CATALOGUE"
    PORT_HTTP = "PORT_HTTP"
    PORT_WS = "PORT_WS"
    PORT_COAP = "PORT_COAP"
    PORT_MQTT = "PORT_MQTT"
    MQTT_BROKER_HOST = "MQTT_BROKER_HOST"
    REDIS_URL = "REDIS_URL"
    DOCKER_PROXY_URL = "DOCKER_PROXY_URL"
    OTHER_PORTS_TCP = "OTHER_PORTS_TCP"
    OTHER_PORTS_UDP = "OTHER_PORTS_UDP"


class EnvConfig(NamedTuple):
    """The `conf` that applications get."""

    port_catalogue: int = 9090
    port_http: int = 80
    port_coap: int = 5683
    port_ws: int = 81
    port_mqtt: int = 1883
    mqtt_broker_host: str | None = None
    mqtt_url: str | None = None
    redis_url: str | None = None
    docker_proxy_url: str | None = None
    other_ports_tcp: tuple[int, ...] | None = None
    other_ports_udp: tuple[int, ...] | None = None

    def environment(self) -> dict[str, str]:
        """The variables from which old programs read it themselves; several ports with commas."""
        values = {name: getattr(self, name.lower()) for name in ConfigVars}
        return {name: _text(value) for name, value in values.items() if value is not None}


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def make_conf(ports: TopologyPorts, node: Node) -> EnvConfig:
    broker_host = node.broker_host
    return EnvConfig(
        port_catalogue=ports.catalogue,
        port_http=ports.http,
        port_coap=ports.coap,
        port_ws=ports.ws,
        port_mqtt=ports.mqtt,
        mqtt_broker_host=broker_host,
        other_ports_tcp=node.other_ports("TCP") or None,
        other_ports_udp=node.other_ports("UDP") or None,
        mqtt_url=f"mqtt://{broker_host}:{ports.mqtt}" if broker_host else None,
    )

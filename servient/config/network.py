"""What the servient is called, and where it listens."""

import socket
from typing import Literal

from pydantic import Field

from servient.config.addresses import EVERY_ADDRESS, main_address
from servient.config.section import Listed, Section, also

BindingName = Literal["http", "websocket", "coap", "mqtt"]


class NetworkSettings(Section):
    """Its name, the protocols that it speaks, and their addresses."""

    name: str = Field(
        "servient",
        pattern=r"^[A-Za-z0-9_-]{1,63}$",
        description="The servient's name, for its Thing, its topics and its announcements.",
        validation_alias=also("name", "WASMIOT_SUPERVISOR_NAME", "SUPERVISOR_NAME", "FLASK_APP"),
    )
    host: str = Field("127.0.0.1", description="The address to listen on.")
    public_host: str | None = Field(
        None,
        description="The name or address that consumers reach this machine by; by default `host`.",
        validation_alias=also("public_host", "WASMIOT_SUPERVISOR_IP"),
    )
    insecure: bool = Field(False, description="Listen beyond this machine without credentials.")
    bindings: Listed[BindingName] = Field(
        ("http", "websocket", "coap", "mqtt"), description="The protocols to speak."
    )
    port: int = Field(
        5000,
        ge=0,
        le=65535,
        description="The TCP port of HTTP; 0 takes a free one.",
        validation_alias=also("port", "WASMIOT_SUPERVISOR_PORT", "SUPERVISOR_PORT", "FLASK_PORT"),
    )
    websocket_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="The TCP port of WebSockets; by default the one after HTTP's.",
    )
    coap_port: int = Field(5683, ge=0, le=65535, description="The UDP port of CoAP.")
    body_limit_bytes: int = Field(
        16 * 2**20,
        ge=1024,
        description="The largest body over HTTP, CoAP and MQTT, and message over WebSockets.",
    )
    deploy_limit_bytes: int = Field(
        96 * 2**20,
        ge=1024,
        description="The largest manifest over HTTP, with the files that it brings along.",
    )

    @property
    def reachable_host(self) -> str:
        """What stands in forms."""
        if self.public_host:
            return self.public_host
        return main_address() if self.host in EVERY_ADDRESS else self.host

    @property
    def own_hosts(self) -> frozenset[str]:
        """The names and addresses that surely are this servient's."""
        hosts = {self.host, self.reachable_host, socket.gethostname()}
        if self.host in EVERY_ADDRESS:
            hosts |= {"localhost", main_address()}
        return frozenset(hosts)

    @property
    def real_websocket_port(self) -> int:
        if self.websocket_port is not None:
            return self.websocket_port
        return self.port + 1 if self.port else 0

"""The wires that a Thing is on, and the client for each of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from servient.cli.access import Access
from servient.cli.exchange import CONNECT_SECONDS, wants_password
from servient.cli.found_thing import FoundThing
from servient.cli.options import Protocol
from servient.cli.output import CommandFailed, ExitCode
from servient.clients.coap import CoapClient
from servient.clients.http import HttpClient
from servient.clients.mqtt import MqttClient
from servient.clients.websocket import WebSocketClient

_SCHEMES = {
    Protocol.HTTP: ("http", "https"),
    Protocol.WEBSOCKET: ("ws", "wss"),
    Protocol.COAP: ("coap",),
    Protocol.MQTT: ("mqtt",),
}


def spoken(td: Mapping[str, Any], forms: Iterable[Mapping[str, Any]]) -> list[Protocol]:
    """The protocols that some of a Thing's forms are for, in the order in which they are tried."""
    base = str(td.get("base", ""))
    hrefs = (str(form.get("href", "")) for form in forms)
    schemes = {(href if ":" in href else base).partition(":")[0] for href in hrefs}
    return [protocol for protocol in Protocol if schemes.intersection(_SCHEMES[protocol])]


def build_client(protocol: Protocol, thing: FoundThing, access: Access) -> Any:
    """One of the project's WoTPy clients. Raises CommandFailed.

    Who described the Thing is shown the token, which is the servient or nobody.
    """
    match protocol:
        case Protocol.HTTP:
            client: Any = HttpClient(CONNECT_SECONDS, access.seconds, access.tls())
        case Protocol.WEBSOCKET:
            client = WebSocketClient(access.seconds, access.tls())
        case Protocol.COAP:
            return CoapClient()  # its credentials are contexts of OSCORE, no tokens
        case Protocol.MQTT:
            client = MqttClient(access.seconds)
    if access.token is not None and thing.is_own:
        client.set_security(*_security(protocol, thing, access.user, access.token))
    return client


def _security(
    protocol: Protocol, thing: FoundThing, user: str | None, token: str
) -> tuple[dict[str, str], dict[str, str]]:
    """The scheme and the credentials, as WoTPy wants them."""
    if protocol is Protocol.MQTT and user is None:
        raise CommandFailed(
            "over MQTT a token needs the name that it belongs to: --user or WASM_SERVIENT_USER",
            ExitCode.USAGE,
        )
    if user is not None and (protocol is Protocol.MQTT or wants_password(thing.td)):
        return {"scheme": "basic"}, {"username": user, "password": token}
    return {"scheme": "bearer"}, {"token": token}

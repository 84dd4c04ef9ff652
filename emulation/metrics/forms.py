"""Which protocol and which form a consumer's call takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from servient.wot.operations import AffordanceKind, Operation

PROTOCOLS = {"HTTP": "http", "COAP": "coap", "WEBSOCKETS": "websocket", "MQTT": "mqtt"}
_SCHEMES = {
    "http": ("http", "https"),
    "coap": ("coap", "coaps"),
    "websocket": ("ws", "wss"),
    "mqtt": ("mqtt", "mqtts"),
}
KINDS = {
    Operation.READ_PROPERTY: AffordanceKind.PROPERTY,
    Operation.WRITE_PROPERTY: AffordanceKind.PROPERTY,
    Operation.OBSERVE_PROPERTY: AffordanceKind.PROPERTY,
    Operation.INVOKE_ACTION: AffordanceKind.ACTION,
    Operation.SUBSCRIBE_EVENT: AffordanceKind.EVENT,
}


@dataclass(frozen=True, slots=True)
class Route:
    """The protocol in the words of the bindings, and the address of the form where one is known."""

    protocol: str = ""
    href: str = ""


def find_route(servient: Any, td: Any, name: str, operation: Operation) -> Route:
    """What WoTPy chooses for an affordance; nothing when it has no client for it."""
    try:
        protocol = servient.select_client(td, name).protocol
    except (ValueError, IndexError, StopIteration):
        return Route()
    protocol = PROTOCOLS.get(protocol, str(protocol).lower())
    return Route(protocol, _href(td._doc, name, operation, _SCHEMES.get(protocol, (protocol,))))


def _href(
    document: Mapping[str, Any], name: str, operation: Operation, schemes: tuple[str, ...]
) -> str:
    """The first form of that protocol that names the operation, else the first of that protocol."""
    forms = document.get(KINDS[operation], {}).get(name, {}).get("forms", ())
    base = document.get("base", "")
    found = [
        (operation in form.get("op", ()), url)
        for form in forms
        if urlsplit(url := urljoin(base, form.get("href", ""))).scheme in schemes
    ]
    named = [url for is_named, url in found if is_named]
    return next(iter(named or [url for _, url in found]), "")

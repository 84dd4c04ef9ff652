"""What Thing Descriptions say of the credentials that are wanted: never more than is enforced."""

from collections.abc import Collection, Mapping
from typing import Any

from servient.security.accounts import Scheme
from servient.security.credentials import API_KEY_HEADER
from servient.wot.description import Security

NAMES = {Scheme.BEARER: "bearer_sc", Scheme.BASIC: "basic_sc", Scheme.API_KEY: "apikey_sc"}
COMBINED = "any_sc"
REALM = "wasm-servient"

_DEFINITIONS: Mapping[Scheme, Mapping[str, Any]] = {
    Scheme.BEARER: {"scheme": "bearer", "in": "header", "name": "Authorization"},
    Scheme.BASIC: {"scheme": "basic", "in": "header", "name": "Authorization"},
    Scheme.API_KEY: {"scheme": "apikey", "in": "header", "name": API_KEY_HEADER.title()},
}


def to_security(schemes: Collection[Scheme]) -> Security:
    """That any one of these schemes will do (TD 1.1 section 5.3.3); without any, nothing that is shown."""
    ordered = [scheme for scheme in Scheme if scheme in schemes]
    if not ordered:
        return Security("address_sc", {"address_sc": {"scheme": "auto"}})
    definitions: dict[str, Any] = {NAMES[each]: dict(_DEFINITIONS[each]) for each in ordered}
    if len(ordered) == 1:
        return Security(NAMES[ordered[0]], definitions)
    definitions[COMBINED] = {"scheme": "combo", "oneOf": [NAMES[each] for each in ordered]}
    return Security(COMBINED, definitions)


def to_challenges(schemes: Collection[Scheme]) -> tuple[tuple[str, str], ...]:
    """The headers by which an answer asks for credentials (RFC 9110 section 11.6.1).

    One for each scheme: Chromium takes a line for one challenge, and would never ask for a password.
    """
    known = {
        Scheme.BEARER: f'Bearer realm="{REALM}"',
        Scheme.BASIC: f'Basic realm="{REALM}", charset="UTF-8"',
    }
    return tuple(("WWW-Authenticate", text) for scheme, text in known.items() if scheme in schemes)

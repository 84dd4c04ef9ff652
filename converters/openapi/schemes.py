"""Security schemes of OpenAPI as those of TD 1.1."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from converters.errors import ConversionError
from converters.losses import VENDOR, Losses
from converters.openapi.documents import Documents
from converters.openapi.model import Scheme
from converters.reading import Node
from converters.schema_words import PROSE_LIMIT_CHARS

SCHEMES_LIMIT = 64

BEARER: Mapping[str, Any] = {"scheme": "bearer", "in": "header", "name": "Authorization"}

_FLOWS = {
    "authorizationCode": "code",
    "accessCode": "code",  # OpenAPI 2.0
    "clientCredentials": "client",
    "application": "client",  # OpenAPI 2.0
    "deviceAuthorization": "device",
}
_NO_FLOW = "TD 1.1 has no such flow: what remains is that a bearer token is sent"
_NO_SCHEME = "TD 1.1 has no such scheme: `auto` leaves it to the protocol"


def read_schemes(node: Node, documents: Documents, losses: Losses) -> dict[str, Scheme]:
    """The schemes by the names that requirements use (OpenAPI 3.1.0 section 4.8.27)."""
    found = {}
    try:
        members = list(node.members(SCHEMES_LIMIT))
    except ConversionError as error:
        losses.fault(node, error.message)
        return {}
    for name, scheme in members:
        scheme = documents.found(scheme, losses)
        if scheme.is_object:
            found[name] = _described(scheme, _scheme(scheme, losses))
    return found


def _described(node: Node, scheme: Scheme) -> Scheme:
    text = node.member("description").prose(PROSE_LIMIT_CHARS)
    return Scheme({**scheme.definition, "description": text}, scheme.further) if text else scheme


def _scheme(node: Node, losses: Losses) -> Scheme:
    known = {"type", "description"}
    match node.member("type").value:
        case "http":
            losses.rest(node, known | {"scheme", "bearerFormat"})
            return _http(node, losses)
        case "basic":  # OpenAPI 2.0
            losses.rest(node, known)
            return Scheme({"scheme": "basic", "in": "header", "name": "Authorization"})
        case "apiKey":
            losses.rest(node, known | {"name", "in"})
            return _api_key(node, losses)
        case "oauth2" if node.member("flows").is_null:  # OpenAPI 2.0
            losses.rest(node, known | {"flow", "authorizationUrl", "tokenUrl", "scopes"})
            return _oauth2({str(node.member("flow").value): node}, losses)
        case "oauth2":
            losses.rest(node, known | {"flows"})
            flows = node.member("flows")
            names = flows.value if flows.is_object else ()
            return _oauth2({name: flows.member(name) for name in names}, losses)
        case "openIdConnect":
            losses.rest(node, known)
            losses.drop(node.member("type"), "openIdConnect", _NO_FLOW)
            return Scheme(dict(BEARER))
        case other:
            losses.rest(node, known)
            losses.drop(node.member("type"), str(other)[:60], _NO_SCHEME)
            return Scheme({"scheme": "auto"})


def _http(node: Node, losses: Losses) -> Scheme:
    scheme = node.member("scheme").value
    name = scheme.lower() if isinstance(scheme, str) else ""
    if name in {"basic", "digest"}:
        return Scheme({"scheme": name, "in": "header", "name": "Authorization"})
    if name == "bearer":
        data_format = node.member("bearerFormat").value
        extra = {"format": data_format.lower()} if isinstance(data_format, str) else {}
        return Scheme({**BEARER, **(extra if extra.get("format") else {})})
    losses.drop(node.member("scheme"), name[:60], _NO_SCHEME)
    return Scheme({"scheme": "auto"})


def _api_key(node: Node, losses: Losses) -> Scheme:
    place, name = node.member("in").value, node.member("name").value
    if place not in ("header", "query", "cookie") or not isinstance(name, str) or not name:
        losses.fault(node, "an API key has a name, and is in header, query or cookie")
        return Scheme({"scheme": "auto"})
    return Scheme({"scheme": "apikey", "in": place, "name": name})


def _oauth2(flows: Mapping[str, Node], losses: Losses) -> Scheme:
    """One definition for each flow; with any of them one gets in."""
    found = []
    for name, flow in flows.items():
        if name.startswith("x-"):
            losses.drop(flow, name, VENDOR)
        elif name in _FLOWS:
            found.append(_flow(_FLOWS[name], flow, losses))
        else:
            losses.drop(flow, name, _NO_FLOW)
            found.append(dict(BEARER))
    distinct = [flow for index, flow in enumerate(found) if flow not in found[:index]]
    if not distinct:
        return Scheme(dict(BEARER))
    return Scheme(distinct[0], tuple(distinct[1:]))


def _flow(name: str, node: Node, losses: Losses) -> dict[str, Any]:
    definition: dict[str, Any] = {"scheme": "oauth2", "flow": name}
    members = {
        "authorizationUrl": "authorization",
        "deviceAuthorizationUrl": "authorization",
        "tokenUrl": "token",
        "refreshUrl": "refresh",
    }
    for member, term in members.items():
        url = node.member(member).value
        if isinstance(url, str) and url and _is_url(url):
            definition[term] = url
        elif url:
            losses.fault(node.member(member), "is not a URL")
    scopes = node.member("scopes")
    if scopes.is_object and scopes.value:
        definition["scopes"] = [name for name in scopes.value if name]
        losses.drop(scopes, "scopes", "their descriptions are lost, their names are kept")
        definition = {name: value for name, value in definition.items() if value}
    return definition


def _is_url(text: str) -> bool:
    try:
        urljoin("http://localhost/", text)
    except ValueError:
        return False
    return not any(character.isspace() for character in text)

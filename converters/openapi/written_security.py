"""Security definitions of Things as security schemes and requirements of OpenAPI."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

REQUIREMENTS_LIMIT = 32

_FLOWS = {"code": "authorizationCode", "client": "clientCredentials"}
_URLS = {"authorization": "authorizationUrl", "token": "tokenUrl", "refresh": "refreshUrl"}  # nosec B105 - the name of a member, and no password


class SecuritySchemes:
    """The schemes of all Things; equal ones are one."""

    def __init__(self) -> None:
        self.definitions: dict[str, dict[str, Any]] = {}

    def requirements(
        self,
        names: Sequence[str] | str,
        definitions: Mapping[str, Mapping[str, Any]],
        scopes: Sequence[str] | str = (),
    ) -> list[dict[str, list[str]]] | None:
        """What lets one in: any of these, of each all; None where nothing is needed."""
        wanted = [names] if isinstance(names, str) else list(names)
        found = self._all_of(wanted, definitions, [scopes] if isinstance(scopes, str) else scopes)
        return None if found == [{}] else found

    def _all_of(
        self,
        names: Sequence[str],
        definitions: Mapping[str, Mapping[str, Any]],
        scopes: Sequence[str],
    ) -> list[dict[str, list[str]]]:
        ways = [self._ways(name, definitions, scopes) for name in names]
        combined = itertools.islice(itertools.product(*ways), REQUIREMENTS_LIMIT)
        return [{k: v for part in way for k, v in part.items()} for way in combined]

    def _ways(
        self, name: str, definitions: Mapping[str, Mapping[str, Any]], scopes: Sequence[str]
    ) -> list[dict[str, list[str]]]:
        definition = definitions.get(name, {"scheme": "nosec"})
        if definition["scheme"] == "combo":
            others = {
                n: d for n, d in definitions.items() if n != name
            }  # so that no cycle is endless
            if "oneOf" in definition:
                each = (self._ways(n, others, scopes) for n in definition["oneOf"])
                return [way for ways in each for way in ways][:REQUIREMENTS_LIMIT]
            return self._all_of(definition.get("allOf", ()), others, scopes)
        scheme = _scheme(definition)
        if scheme is None:
            return [{}]
        granted = list(scopes) if scheme["type"] == "oauth2" else []
        return [{self._name(name, scheme): granted}]

    def _name(self, wanted: str, scheme: dict[str, Any]) -> str:
        for name, known in self.definitions.items():
            if known == scheme:
                return name
        name, number = wanted, 1
        while name in self.definitions:
            number += 1
            name = f"{wanted}_{number}"
        self.definitions[name] = scheme
        return name


def _scheme(definition: Mapping[str, Any]) -> dict[str, Any] | None:
    match definition["scheme"]:
        case "basic" | "digest" | "bearer" as scheme:
            return {"type": "http", "scheme": scheme}
        case "apikey" if definition.get("in") in {"header", "query", "cookie"}:
            return {"type": "apiKey", "in": definition["in"], "name": definition.get("name", "key")}
        case "oauth2" if definition.get("flow") in _FLOWS:
            flow = {n: definition[term] for term, n in _URLS.items() if term in definition}
            scopes = definition.get("scopes", ())
            names = [scopes] if isinstance(scopes, str) else scopes
            flow["scopes"] = {name: name for name in names}
            return {"type": "oauth2", "flows": {_FLOWS[definition["flow"]]: flow}}
        case "nosec":
            return None
    return None

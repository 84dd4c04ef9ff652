"""Which security schemes let one in: requirements become definitions and combinations of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from converters.errors import ConversionError
from converters.losses import Losses
from converters.openapi.model import Scheme
from converters.reading import Node
from thing_descriptions.builder import affordance_name

REQUIREMENTS_LIMIT = 64

NOSEC = "nosec_sc"


@dataclass(frozen=True, slots=True)
class Access:
    """The names of definitions of which all are needed, and the scopes that are wanted."""

    security: tuple[str, ...]
    scopes: tuple[str, ...] = ()


class Security:
    """The security definitions of a Thing, as far as they are used."""

    def __init__(self, schemes: Mapping[str, Scheme], losses: Losses) -> None:
        self._schemes = schemes
        self._losses = losses
        self.definitions: dict[str, Mapping[str, Any]] = {}
        self._names: dict[str, str] = {}

    def access(self, requirements: Node) -> Access:
        """What a list of requirements means: any one of them, of each all that it names."""
        try:
            elements = list(requirements.elements(REQUIREMENTS_LIMIT))
        except ConversionError as error:
            self._losses.fault(requirements, error.message)
            elements = []
        ways: list[tuple[str, ...]] = []
        scopes: dict[str, None] = {}
        for element in elements:
            if not element.is_object:
                self._losses.fault(element, "expected an object")
                continue
            way = self._way(element, scopes)
            if way not in ways:
                ways.append(way)
        if not ways:
            return Access((self._nosec(),))
        if len(ways) == 1:
            return Access(ways[0], tuple(scopes))
        options = [self._combined("allOf", way) for way in ways]
        return Access((self._combined("oneOf", options),), tuple(scopes))

    def _way(self, element: Node, scopes: dict[str, None]) -> tuple[str, ...]:
        names = []
        for name in element.value:
            if name not in self._schemes:
                self._losses.fault(element.member(name), "no security scheme has this name")
                continue
            names.append(self._name(name))
            wanted = element.value[name]
            if self._schemes[name].definition["scheme"] == "oauth2" and isinstance(wanted, list):
                scopes |= dict.fromkeys(s for s in wanted if isinstance(s, str) and s)
            elif wanted:
                why = "only forms of OAuth 2 have scopes"
                self._losses.drop(element.member(name), name, why)
        return tuple(dict.fromkeys(names)) or (self._nosec(),)

    def _name(self, scheme: str) -> str:
        """The name of the definition of a scheme: of several flows, any will do."""
        if scheme not in self._names:
            found = self._schemes[scheme]
            names = [
                self._define(scheme if not index else f"{scheme}_{index + 1}", definition)
                for index, definition in enumerate((found.definition, *found.further))
            ]
            self._names[scheme] = self._combined("oneOf", names)
        return self._names[scheme]

    def _combined(self, how: str, names: Sequence[str]) -> str:
        names = list(dict.fromkeys(names))
        if len(names) == 1:
            return names[0]
        definition = {"scheme": "combo", how: list(names)}
        for name, known in self.definitions.items():
            if known == definition:
                return name
        return self._define(f"combo_{len(self.definitions)}", definition)

    def _nosec(self) -> str:
        if NOSEC not in self.definitions:
            self.definitions[NOSEC] = {"scheme": "nosec"}
        return NOSEC

    def _define(self, wanted: str, definition: Mapping[str, Any]) -> str:
        base = affordance_name(wanted) or "scheme"
        name, number = base, 1
        while name in self.definitions or name == NOSEC:
            number += 1
            name = f"{base}_{number}"
        self.definitions[name] = definition
        return name

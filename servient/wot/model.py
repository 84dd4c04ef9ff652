"""WoTPy's model of a Thing, with an identity that is worked out once."""

from collections.abc import Iterable
from typing import Any

from wotpy.utils.utils import to_camel
from wotpy.wot.dictionaries.interaction import (
    ActionFragmentDict,
    EventFragmentDict,
    PropertyFragmentDict,
)
from wotpy.wot.dictionaries.thing import ThingFragment
from wotpy.wot.interaction import Action, Event, Property
from wotpy.wot.thing import Thing as WotpyThing

from servient.errors import InvalidInput
from servient.wot.description import Description, Document
from servient.wot.document import (
    to_affordance_fragment,
    to_definition,
    to_document,
    to_fragment,
)
from servient.wot.operations import AffordanceKind

# WoTPy's classes: of an interaction, and of what it is made from.
_CLASSES: dict[AffordanceKind, tuple[Any, Any]] = {
    AffordanceKind.PROPERTY: (Property, PropertyFragmentDict),
    AffordanceKind.ACTION: (Action, ActionFragmentDict),
    AffordanceKind.EVENT: (Event, EventFragmentDict),
}

# What programs may set after producing a Thing; affordances come and go one by one.
_METADATA = frozenset(WotpyThing.THING_FRAGMENT_WRITABLE_FIELDS) - set(AffordanceKind)


class Thing(WotpyThing):
    """WoTPy's model of a Thing, made from a document that stays as it is.

    WoTPy derives title, id and URL name from a rebuilt document at each access; here they are fixed.
    """

    def __init__(self, document: Document, name: str) -> None:
        try:
            super().__init__(thing_fragment=ThingFragment(to_fragment(document)))
        except ValueError as error:  # such as an affordance's name that is no name to WoTPy
            raise InvalidInput(f"WoTPy does not take this Thing: {error}") from error
        self.described = Description(document, name)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        member = to_camel(name)
        if member in _METADATA:
            written = self._thing_fragment._init[member]  # its to_dict rewrites all the rest
            self.describe(to_document({**self.described.document, member: written}))

    def describe(self, document: Document) -> None:
        self.described = Description(document, self.described.name)

    def add(self, kind: AffordanceKind, name: str, model: Any) -> Document:
        """Add an affordance; returns its definition.

        Raises InvalidInput when the definition is none, ValueError when there is one of that name.
        """
        document = self.described.document
        members = {**document.get(kind, {}), name: to_definition(model)}
        document = to_document({**document, kind.value: members})
        definition: Document = document[kind][name]
        interaction, fragment = _CLASSES[kind]
        init = fragment(to_affordance_fragment(kind, definition))
        self.add_interaction(interaction(thing=self, name=name, init_dict=init))
        self.describe(document)
        return definition

    def remove(self, kind: AffordanceKind, name: str) -> Any:
        """Remove an affordance by name, or by the URL-safe version of it, as WoTPy does.

        Returns WoTPy's object of it, None when there was none.
        """
        found = _find(self._members(kind).values(), name)
        if found is not None:
            del self._members(kind)[found.name]
            document = self.described.document
            members = {n: d for n, d in document[kind].items() if n != found.name}
            self.describe({**document, kind.value: members})
        return found

    def add_interaction(self, interaction: Any) -> None:
        """A property and an action may share a name (TD 1.1 section 5.3.1); WoTPy refuses that."""
        [kind] = (k for k, (cls, _) in _CLASSES.items() if isinstance(interaction, cls))
        if interaction.name in self._members(kind):
            raise ValueError(f"there is a {kind.noun} {interaction.name!r} already")
        self._members(kind)[interaction.name] = interaction

    def find_interaction(self, name: str) -> Any:
        return _find(self.interactions, name)

    def _members(self, kind: AffordanceKind) -> dict[str, Any]:
        members: dict[AffordanceKind, dict[str, Any]] = {
            AffordanceKind.PROPERTY: self._properties,
            AffordanceKind.ACTION: self._actions,
            AffordanceKind.EVENT: self._events,
        }
        return members[kind]

    @property
    def id(self) -> str | None:
        return self.described.id

    @property
    def title(self) -> str:
        return self.described.title

    @property
    def url_name(self) -> str:
        return self.described.name


def _find(interactions: Iterable[Any], name: str) -> Any:
    """By exact name before the URL-safe version of one, which several may share."""
    known = tuple(interactions)
    exact = next((interaction for interaction in known if interaction.name == name), None)
    # Making a URL-safe name is slow, and rarely needed.
    return exact or next((i for i in known if i.url_name == name), None)

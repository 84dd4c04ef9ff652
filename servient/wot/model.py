"""WoTPy's model of a Thing, with an identity that is worked out once."""

from typing import Any

from wotpy.wot.dictionaries.thing import ThingFragment
from wotpy.wot.interaction import Action, Event, Property
from wotpy.wot.thing import Thing as WotpyThing

from servient.wot.description import Description, Document
from servient.wot.document import to_fragment


class Thing(WotpyThing):
    """WoTPy's model of a Thing, made from a document that stays as it is.

    WoTPy derives title, id and URL name from a rebuilt document at each access; here they are fixed.
    """

    def __init__(self, document: Document, name: str) -> None:
        super().__init__(thing_fragment=ThingFragment(to_fragment(document)))
        self._described = Description(document, name)

    def description(self) -> Description:
        return self._described

    def describe(self, document: Document) -> None:
        self._described = Description(document, self._described.name)

    def add_interaction(self, interaction: Any) -> None:
        """A property and an action may share a name (TD 1.1 section 5.3.1); WoTPy refuses that."""
        members = self._members[type(interaction)]
        if interaction.name in members:
            raise ValueError(
                f"there is a {type(interaction).__name__} {interaction.name!r} already"
            )
        members[interaction.name] = interaction

    @property
    def _members(self) -> dict[type, dict[str, Any]]:
        return {Property: self._properties, Action: self._actions, Event: self._events}

    @property
    def id(self) -> str | None:
        return self._described.id

    @property
    def title(self) -> str:
        return self._described.title

    @property
    def url_name(self) -> str:
        return self._described.name

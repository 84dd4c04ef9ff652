"""The Things of a servient, found by name, id or title without a search."""

from collections.abc import Iterator
from typing import Any

from servient.errors import Conflict, NotFound
from servient.wot.thing import ExposedThing


class ThingSet:
    """WoTPy's ExposedThingSet with look-ups by title, name and id that do not search."""

    def __init__(self) -> None:
        self._by_name: dict[str, ExposedThing] = {}
        self._names: dict[str, str] = {}  # by title and id
        # By name; as they were then, for a program may give its Thing another id.
        self._keys: dict[str, set[str]] = {}

    @property
    def exposed_things(self) -> Iterator[ExposedThing]:
        yield from tuple(self._by_name.values())

    def contains(self, exposed_thing: ExposedThing) -> bool:
        return self._by_name.get(exposed_thing.name) is exposed_thing

    def add(self, exposed_thing: ExposedThing) -> None:
        """Raises Conflict when its name, title or id is taken."""
        if exposed_thing.name in self._by_name:
            raise Conflict(f"there is a Thing of the name {exposed_thing.name!r} already")
        keys = {key for key in (exposed_thing.title, exposed_thing.id) if key}
        if taken := keys & self._names.keys():
            raise Conflict(f"there is a Thing {min(taken)!r} already")
        self._by_name[exposed_thing.name] = exposed_thing
        self._keys[exposed_thing.name] = keys
        self._names.update(dict.fromkeys(keys, exposed_thing.name))

    def remove(self, thing_title: str) -> None:
        """Raises NotFound."""
        found = self.find_by_thing_title(thing_title)
        if found is None:
            raise NotFound(f"no Thing {thing_title!r}")
        del self._by_name[found.name]
        for key in self._keys.pop(found.name):
            del self._names[key]

    def find_by_thing_title(self, thing_title: str) -> ExposedThing | None:
        """By name, id or title: names come first, as paths carry them."""
        found = self._by_name.get(thing_title)
        return found or self._by_name.get(self._names.get(thing_title, ""))

    def find_by_interaction(self, interaction: Any) -> ExposedThing | None:
        return self._by_name.get(interaction.thing.url_name)

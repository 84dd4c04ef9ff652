"""WoTPy's `wot` object, the entry point of programs: produce, consume, discover."""

import itertools
from typing import Any

import reactivex
from slugify import slugify
from wotpy.wot.consumed.thing import ConsumedThing
from wotpy.wot.wot import WoT as WotpyWoT

from servient.wot.consumed_description import ConsumedDescription
from servient.wot.content import to_json
from servient.wot.document import to_document
from servient.wot.model import Thing
from servient.wot.thing import ExposedThing


class WoT(WotpyWoT):
    """WoTPy's entry point; `produce` also takes a dict, and keeps what it is given."""

    def __init__(self, servient: Any) -> None:
        super().__init__(servient)
        self.set_exposed_thing_class(ExposedThing)

    def produce(
        self, model: Any, name: str | None = None, *, is_checked: bool = False
    ) -> ExposedThing:
        """An ExposedThing, not yet exposed. `name` is its name in paths: by default from its title.

        Of a model that is checked it is known that it is a Thing Description, which takes long to see.
        Raises InvalidInput when the model is not a Thing Description, Conflict when its title, id or
        name is taken.
        """
        document = to_document(model, is_checked=is_checked)
        thing = Thing(document, name or self._free_name(document["title"]))
        exposed_thing: ExposedThing = self._exposed_thing_cls(self._servient, thing)
        self._servient.add_exposed_thing(exposed_thing)
        return exposed_thing

    def consume(self, td_str: Any) -> Any:
        """WoTPy's ConsumedThing, also of schemas that leave the type open, as with `oneOf`."""
        return ConsumedThing(servient=self._servient, td=ConsumedDescription(td_str))

    def _free_name(self, title: str) -> str:
        """Different titles may look the same in a path: the second "Lamp!" is "lamp-2"."""
        slug = slugify(title) or "thing"
        names = itertools.chain([slug], (f"{slug}-{count}" for count in itertools.count(2)))
        taken = self._servient.exposed_thing_set.find_by_thing_title
        return next(name for name in names if taken(name) is None)

    def _build_local_discover_observable(self, thing_filter: Any) -> Any:
        """The TDs, as strings, of the Things that have all members of the filter's fragment."""
        wanted = thing_filter.fragment or {}
        found = map(self._servient.td, self._servient.exposed_things)
        return reactivex.of(
            *(
                to_json(td).decode()
                for td in found
                if all(member in td.items() for member in wanted.items())
            )
        )

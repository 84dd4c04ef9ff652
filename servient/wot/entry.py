"""WoTPy's `wot` object, the entry point of programs: produce, consume, discover."""

from typing import Any

from slugify import slugify
from wotpy.wot.wot import WoT as WotpyWoT

from servient.wot.document import to_document
from servient.wot.model import Thing
from servient.wot.thing import ExposedThing


class WoT(WotpyWoT):
    """WoTPy's entry point; `produce` also takes a dict, and keeps what it is given."""

    def __init__(self, servient: Any) -> None:
        super().__init__(servient)
        self.set_exposed_thing_class(ExposedThing)

    def produce(self, model: Any, name: str | None = None) -> ExposedThing:
        """An ExposedThing, not yet exposed. `name` is its name in paths: by default from its title.

        Raises InvalidInput when the model is not a Thing Description, Conflict when its title, id or
        name is taken.
        """
        document = to_document(model)
        thing = Thing(document, name or slugify(document["title"]) or "thing")
        exposed_thing: ExposedThing = self._exposed_thing_cls(self._servient, thing)
        self._servient.add_exposed_thing(exposed_thing)
        return exposed_thing

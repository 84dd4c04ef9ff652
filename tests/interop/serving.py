"""The lamp of the tests, served by chosen bindings."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from servient.wot.binding import Binding
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing
from tests.things import expose_lamp


@dataclass(frozen=True, slots=True)
class Lamp:
    """A served Thing, and its complete TD."""

    thing: ExposedThing
    td: dict[str, Any]

    def href(self, kind: str, name: str) -> str:
        """Where the first form of an affordance leads."""
        href: str = self.td[kind][name]["forms"][0]["href"]
        return href

    def with_unknown(self, kind: str, name: str, like: str) -> dict[str, Any]:
        """Its TD with one affordance more, which it does not have."""
        text = self.td[kind][like]
        forms = [{**f, "href": f["href"].replace(f"/{like}", f"/{name}")} for f in text["forms"]]
        return {**self.td, kind: {**self.td[kind], name: {**text, "forms": forms}}}


@contextlib.asynccontextmanager
async def serving(*bindings: Binding) -> AsyncIterator[Lamp]:
    servient = Servient()
    for binding in bindings:
        servient.add_server(binding)
    thing = expose_lamp(await servient.start())
    try:
        yield Lamp(thing, servient.td(thing))
    finally:
        await servient.shutdown()

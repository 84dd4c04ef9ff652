"""A servient without bindings: what is tested here speaks no wire."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from servient.wot.door import Door
from servient.wot.entry import WoT
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing


@pytest.fixture
async def servient() -> AsyncIterator[Servient]:
    running = Servient(invocation_deadline_seconds=30.0)
    await running.start()
    yield running
    await running.shutdown()


@pytest.fixture
def wot(servient: Servient) -> WoT:
    return WoT(servient)


@pytest.fixture
def door(servient: Servient) -> Door:
    return Door(servient)


@pytest.fixture
def expose(wot: WoT) -> Callable[..., ExposedThing]:
    """Produce a Thing, set the handlers of its actions, and expose it."""

    def make(document: Any, name: str = "thing", **handlers: Any) -> ExposedThing:
        thing = wot.produce(document, name)
        for action, handler in handlers.items():
            thing.set_action_handler(action, handler)
        thing.expose()
        return thing

    return make

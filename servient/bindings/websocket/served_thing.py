"""The Thing at the other end of a connection: commands become interactions with it."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from wotpy.wot.events import ThingDescriptionChangeEmittedEvent

from servient.bindings.websocket.dialect import Perform, Subscribe, Watch
from servient.wot.content import Value
from servient.wot.door import Door, Interaction
from servient.wot.operations import AffordanceKind
from servient.wot.servient import Servient
from servient.wot.subscription import Notification, Subscription
from servient.wot.thing import ExposedThing


class ServedThing:
    """One Thing of a servient, looked up anew for each command. Raises ServientError only."""

    def __init__(self, servient: Servient, door: Door, name: str) -> None:
        self._servient = servient
        self._door = door
        self.name = name

    async def perform(self, command: Perform) -> Value:
        return await self._door.perform(
            Interaction(command.operation, self.name, command.name, command.input)
        )

    def listen(self, command: Subscribe | Watch) -> Subscription:
        match command:
            case Subscribe(operation=operation, name=name):
                return self._door.subscribe(Interaction(operation, self.name, name))
            case Watch():
                return self._watch(self._servient.exposed(self.name))

    def _watch(self, thing: ExposedThing) -> Subscription:
        """Changes of the Thing's description, each with the members that WoTPy gives them."""
        subscription = Subscription()
        loop = asyncio.get_running_loop()

        def push(event: ThingDescriptionChangeEmittedEvent) -> None:
            if not subscription.is_ended:
                subscription.push(self._changed(thing, event))

        # WoTPy tells before our description has changed: look one turn of the loop later.
        watch: Any = thing.on_td_change().subscribe(
            on_next=lambda event: loop.call_soon(push, event)
        )
        subscription.on_close(watch.dispose)
        return subscription

    def _changed(
        self, thing: ExposedThing, event: ThingDescriptionChangeEmittedEvent
    ) -> Notification:
        change = {**vars(event.data), "description": self._servient.td(thing)}
        number = next(self._servient.notification_ids)
        now = datetime.now(UTC)
        return Notification(self.name, AffordanceKind.EVENT, event.name, change, number, now)

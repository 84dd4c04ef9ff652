"""The Thing at the other end of a connection: commands become interactions with it."""

import asyncio
import time
from typing import Any

from wotpy.wot.events import ThingDescriptionChangeEmittedEvent

from servient.bindings.paths import invocation_path
from servient.bindings.websocket.dialect import (
    Answered,
    Ask,
    Perform,
    PerformOnAll,
    Subscribe,
    Told,
    Watch,
)
from servient.wot.access import Scope
from servient.wot.action_status import to_full_status, to_status
from servient.wot.content import Value
from servient.wot.door import Door, Interaction
from servient.wot.handler import Later
from servient.wot.invocation import Invocation
from servient.wot.operations import AffordanceKind, Operation
from servient.wot.servient import Servient
from servient.wot.subscription import Notification, Subscription
from servient.wot.thing import ExposedThing


class ServedThing:
    """One Thing of a servient, looked up anew for each command. Raises ServientError only."""

    def __init__(self, servient: Servient, door: Door, name: str) -> None:
        self._servient = servient
        self._door = door
        self.name = name

    def begin(self, command: Answered) -> Value | Later:
        """The outcome, or what is `Told` of an invocation that nobody waits for."""
        match command:
            case Perform():
                return self._begin(command)
            case PerformOnAll():
                return Later(self._perform_on_all(command))
            case Ask(Operation.CANCEL_ACTION, name, number):
                self._door.cancel(self.name, name, number)
                return None
            case Ask(_, name, number):
                return Later(self._status_of(self._door.invocation(self.name, name, number)))

    async def _status_of(self, invocation: Invocation) -> Told:
        return _told(invocation, await to_full_status(invocation, invocation_path(invocation)))

    def _begin(self, command: Perform) -> Value | Later:
        wanted = Interaction(command.operation, self.name, command.name, command.input)
        if command.is_told and not self._is_synchronous(command.name):
            return Later(self._tell(self._door.invoke(wanted)))
        return self._door.begin(wanted)

    async def _tell(self, invocation: Invocation) -> Told:
        await invocation.recorded()
        return _told(invocation, to_status(invocation, invocation_path(invocation)))

    def _is_synchronous(self, action: str) -> bool:
        description = self._servient.exposed(self.name).description
        return description.find(AffordanceKind.ACTION, action).is_synchronous

    async def _perform_on_all(self, command: PerformOnAll) -> Value:
        match command.operation:
            case Operation.QUERY_ALL_ACTIONS:
                found = self._door.invocations(self.name)
                return {name: [_listed(each) for each in of] for name, of in found.items()}
            case Operation.WRITE_MULTIPLE_PROPERTIES:
                await self._door.write_properties(self.name, command.values)
                return None
        return await self._door.read_properties(self.name, command.names)

    def listen(self, command: Subscribe | Watch) -> Subscription:
        match command:
            case Subscribe(operation=operation, name=name):
                return self._door.subscribe(Interaction(operation, self.name, name))
            case Watch():
                self._servient.policy.require(Scope.READ, self.name)
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
        return Notification(
            self.name, AffordanceKind.EVENT, event.name, change, number, time.time()
        )


def _listed(invocation: Invocation) -> Value:
    status = to_status(invocation, invocation_path(invocation))
    return _told(invocation, status).status


def _told(invocation: Invocation, status: dict[str, Value]) -> Told:
    return Told(invocation.number, {"actionID": invocation.number, **status})

"""What a Thing publishes, as a listener to all of it hears it."""

from typing import Any

from servient.wot.operations import AffordanceKind
from servient.wot.subscription import Notification
from servient.wot.thing import ExposedThing


class Heard:
    """Everything that a Thing publishes, in its order."""

    def __init__(self, thing: ExposedThing) -> None:
        self.notifications: list[Notification] = []
        self.forget = thing.publisher.listen(self.notifications.append)

    def all(self) -> list[tuple[str, Any]]:
        return [(notification.name, notification.value) for notification in self.notifications]

    def of(self, kind: AffordanceKind, name: str) -> list[Any]:
        return [n.value for n in self.notifications if (n.kind, n.name) == (kind, name)]

    def events(self, name: str) -> list[Any]:
        return self.of(AffordanceKind.EVENT, name)

    def changes(self, name: str) -> list[Any]:
        return self.of(AffordanceKind.PROPERTY, name)

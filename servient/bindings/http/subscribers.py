"""The open subscriptions of clients of this binding, bounded, and ended when it stops."""

from servient.errors import Busy
from servient.wot.door import Door, Interaction
from servient.wot.subscription import Subscription


class Subscribers:
    """Opens subscriptions and remembers them until they are closed."""

    def __init__(self, door: Door, limit: int) -> None:
        self._door = door
        self._limit = limit
        self._open: set[Subscription] = set()

    def open(self, interaction: Interaction) -> Subscription:
        """Raises Busy when there are too many, and what the door raises."""
        if len(self._open) >= self._limit:
            raise Busy(f"{self._limit} subscriptions are open; try again later")
        subscription = self._door.subscribe(interaction)
        self._open.add(subscription)
        return subscription

    def close(self, subscription: Subscription) -> None:
        subscription.close()
        self._open.discard(subscription)

    def end(self) -> None:
        """Nothing more will come: whoever waits is told so."""
        for subscription in tuple(self._open):
            self.close(subscription)

    def __len__(self) -> int:
        return len(self._open)

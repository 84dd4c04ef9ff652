"""What a client that polls would miss between the answer to one poll and its next request."""

import asyncio
from typing import NamedTuple

from servient.bindings.http.subscribers import Subscribers
from servient.wot.access import Principal
from servient.wot.subscription import Subscription

LINGER_SECONDS = 5.0


class Poller(NamedTuple):
    """Who polls what. Clients carry no token from poll to poll, so one is known by where it is.

    And by whom it acts as: what one principal may hear is not for another one at the same address.
    """

    principal: Principal | None
    client: str
    agent: str
    path: str


class Polls:
    """Keeps the subscription of an answered poll for a few seconds, for that client's next poll.

    Two clients that look the same and poll the same may still miss something between two polls, but
    get nothing twice: of two kept subscriptions the later one counts.
    """

    def __init__(self, subscribers: Subscribers, linger_seconds: float = LINGER_SECONDS) -> None:
        self._subscribers = subscribers
        self._linger_seconds = linger_seconds
        self._kept: dict[Poller, tuple[Subscription, asyncio.TimerHandle]] = {}

    def take(self, poller: Poller) -> Subscription | None:
        """The subscription that was kept for it, if any: it is the caller's now."""
        if poller not in self._kept:
            return None
        subscription, timer = self._kept.pop(poller)
        timer.cancel()
        return subscription

    def keep(self, poller: Poller, subscription: Subscription) -> None:
        self.drop(poller)
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._linger_seconds, self.drop, poller)
        self._kept[poller] = (subscription, timer)

    def drop(self, poller: Poller) -> None:
        if (subscription := self.take(poller)) is not None:
            self._subscribers.close(subscription)

    def close(self) -> None:
        for poller in tuple(self._kept):
            self.drop(poller)

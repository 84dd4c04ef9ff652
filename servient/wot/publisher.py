"""Who hears of a Thing's changes: its listeners, called in order on the event loop."""

import itertools
import logging
import time
from collections.abc import Callable, Collection, Iterator

from servient.wot.content import Value
from servient.wot.operations import AffordanceKind
from servient.wot.subscription import QUEUE_LIMIT, Listener, Notification, Subscription

logger = logging.getLogger(__name__)


class Publisher:
    """Hands each change of one Thing to the listeners of its affordance and to those of all.

    `ids` numbers the notifications; all Things of a servient share it, so that ids are unique.
    """

    def __init__(self, thing: str, ids: Iterator[int] | None = None) -> None:
        self._thing = thing
        self._ids = ids if ids is not None else itertools.count()
        # In their order, each under a key of its own: the same listener may be here twice.
        self._listeners: dict[tuple[AffordanceKind, str] | None, dict[object, Listener]] = {}
        self._subscriptions: set[Subscription] = set()

    def listen(
        self, listener: Listener, of: tuple[AffordanceKind, str] | None = None
    ) -> Callable[[], None]:
        """Have `listener` called for one affordance, or for all; returns its own undo."""
        key = object()
        self._listeners.setdefault(of, {})[key] = listener
        return lambda: self._forget(of, key)

    def _forget(self, of: tuple[AffordanceKind, str] | None, key: object) -> None:
        listeners = self._listeners.get(of, {})
        listeners.pop(key, None)
        if not listeners:
            self._listeners.pop(of, None)

    def subscribe(
        self, kind: AffordanceKind, *names: str, limit: int = QUEUE_LIMIT, protocol: str = ""
    ) -> Subscription:
        """A queue of the last `limit` things that happened to these affordances from now on."""
        subscription = Subscription(limit, protocol)
        undos = [self.listen(subscription.push, (kind, name)) for name in names]
        self._subscriptions.add(subscription)

        def leave() -> None:
            for undo in undos:
                undo()
            self._subscriptions.discard(subscription)

        subscription.on_close(leave)
        return subscription

    @property
    def subscriptions(self) -> Collection[Subscription]:
        """Those that are open."""
        return self._subscriptions

    def is_heard(self, kind: AffordanceKind, name: str) -> bool:
        """Whether anybody listens to this."""
        return (kind, name) in self._listeners or None in self._listeners

    def publish(self, kind: AffordanceKind, name: str, value: Value) -> None:
        if not self._listeners:
            return
        own, all_of_it = self._listeners.get((kind, name), {}), self._listeners.get(None, {})
        if not own and not all_of_it:
            return
        notification = Notification(self._thing, kind, name, value, next(self._ids), time.time())
        for listener in (*own.values(), *all_of_it.values()):
            try:
                listener(notification)
            except (
                Exception
            ):  # one subscriber's fault must not reach the others, nor the invocation
                logger.exception("a listener of %s/%s/%s failed", self._thing, kind, name)

    def end(self) -> None:
        """The Thing is gone: every subscription ends and nobody is called any more."""
        for subscription in self._subscriptions:
            subscription.end()
        self._subscriptions.clear()
        self._listeners.clear()

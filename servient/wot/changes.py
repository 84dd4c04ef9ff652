"""Which Things come, change and go, and who is told."""

import logging
from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias

from servient.wot.thing import ExposedThing

logger = logging.getLogger(__name__)


class Change(StrEnum):
    """As the events of directories are called (WoT Discovery section 6.2.2.3, Notification)."""

    CREATED = "thingCreated"
    UPDATED = "thingUpdated"
    DELETED = "thingDeleted"


Watcher: TypeAlias = Callable[[Change, ExposedThing], None]


class Changes:
    """Tells its watchers, in their order, of each Thing that is served from now on or no more."""

    def __init__(self) -> None:
        self._watchers: dict[object, Watcher] = {}

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Have `watcher` called on the event loop; returns its own undo."""
        key = object()
        self._watchers[key] = watcher
        return lambda: self._forget(key)

    def _forget(self, key: object) -> None:
        self._watchers.pop(key, None)

    def tell(self, change: Change, thing: ExposedThing) -> None:
        for watcher in tuple(self._watchers.values()):
            try:
                watcher(change, thing)
            except Exception:  # the fault of one must reach neither the others nor the Thing
                logger.exception("a watcher of %s failed at %s", change, thing.name)

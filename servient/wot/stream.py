"""What WoTPy's programs subscribe to, with each of their observers on its own."""

import logging
from typing import Any

from reactivex.subject import Subject

logger = logging.getLogger(__name__)


class Stream(Subject[Any]):
    """A Subject whose observers cannot harm each other, nor the one who publishes."""

    def on_next(self, value: Any) -> None:
        for observer in tuple(self.observers):
            try:
                observer.on_next(value)
            except Exception:  # whatever a program's observer raises ends here
                logger.exception("an observer of %s failed", value)

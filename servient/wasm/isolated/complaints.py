"""What a module's process writes on its standard error, for the log, and only so much of it."""

import logging

logger = logging.getLogger(__name__)

LIMIT_BYTES = 16 * 2**10


class Complaints:
    """Of one process; what exceeds the limit is dropped, once with a word about it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._left_bytes = LIMIT_BYTES

    def add(self, text: bytes) -> None:
        """Lines, as the process wrote them at once."""
        if self._left_bytes <= 0:
            return
        for line in text[: self._left_bytes].decode(errors="replace").splitlines():
            shown = "".join(each if each.isprintable() else "?" for each in line)
            logger.warning("the process of %s: %s", self._name, shown)
        self._left_bytes -= len(text)
        if self._left_bytes <= 0:
            logger.warning("the process of %s writes more than is logged", self._name)

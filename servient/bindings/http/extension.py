"""How others add routes to the binding."""

from collections.abc import Mapping
from typing import Protocol

from servient.bindings.http.messages import Handler


class Extension(Protocol):
    """Routes of its own, asked after those of the Web of Things."""

    def find(self, segments: tuple[str, ...]) -> Mapping[str, Handler] | None:
        """The handlers of a path by method; None when the path is not one of this extension's.

        `segments` are percent-decoded, and may be anything: empty, "..", with slashes in them.
        HEAD is answered by GET's handler, unless there is one for HEAD.
        """

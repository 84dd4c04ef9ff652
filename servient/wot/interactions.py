"""WoTPy's `properties`, `actions` and `events` of a Thing, told apart by their exact names."""

from typing import Any

from wotpy.wot.exposed.interaction_map import (
    ExposedThingActionDict,
    ExposedThingEventDict,
    ExposedThingPropertyDict,
)


class _ByName:
    """WoTPy takes a name's URL-safe version for the name, and `temp_c` and `temp-c` for the same."""

    interaction_dict: dict[str, Any]

    def _find_normalized_name(self, name: str) -> str | None:
        if name in self.interaction_dict:
            return name
        found: str | None = super()._find_normalized_name(name)  # type: ignore[misc] # WoTPy's class
        return found


class Properties(_ByName, ExposedThingPropertyDict):
    """The properties of a Thing by name."""


class Actions(_ByName, ExposedThingActionDict):
    """The actions of a Thing by name."""


class Events(_ByName, ExposedThingEventDict):
    """The events of a Thing by name."""

"""Small helpers for making Thing Descriptions: names, ids and members that are not empty."""

import re
from typing import Any
from urllib.parse import quote

from thing_descriptions.vocabulary import URN

NAME_LIMIT_CHARS = 128

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")
_FALLBACK_NAME = "function"


def without_empties(value: Any) -> Any:
    """A copy without null members, empty arrays and empty objects, at any depth."""
    if isinstance(value, dict):
        members = {name: without_empties(member) for name, member in value.items()}
        return {n: member for n, member in members.items() if member not in (None, [], {})}
    if isinstance(value, list):
        return [without_empties(element) for element in value]
    return value


def thing_id(servient_id: str, *names: str) -> str:
    """The id of a Thing of a servient: a URN (RFC 8141) of names, percent-encoded."""
    return ":".join([URN, *(quote(name, safe="") for name in (servient_id, *names))])


def affordance_name(text: str) -> str:
    """A text as the name of an affordance: letters, digits, '_' and '-'."""
    return _NOT_IN_NAMES.sub("_", text)[:NAME_LIMIT_CHARS]


class AffordanceNames:
    """Gives names that are unique in a Thing, over all kinds of affordances.

    Two names that differ only in case, '_' and '-' are the same to WoTPy, whose consumers find
    affordances by their slugs as well.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, wanted: str) -> str:
        """The wanted name, with a number behind it where that is taken."""
        base = affordance_name(wanted)
        if not _slug(base):
            base = _FALLBACK_NAME
        name, number = base, 1
        while _slug(name) in self._taken:
            number += 1
            name = f"{base}_{number}"
        self._taken.add(_slug(name))
        return name


def _slug(name: str) -> str:
    return re.sub(r"[_-]+", "-", name).strip("-").lower()

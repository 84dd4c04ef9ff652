"""Who has how much under way: no Thing and no principal takes the room of all others."""

from collections import Counter

from servient.errors import Busy


class Load:
    """Invocations that run, counted by their Thing and by the principal who asked, where one is known."""

    def __init__(self, of_thing: int, of_principal: int) -> None:
        self._limits = {"Thing": of_thing, "principal": of_principal}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._keys: dict[str, tuple[tuple[str, str], ...]] = {}

    def require_room(self, thing: str, principal: str | None) -> None:
        """Raises Busy, saying whose room is taken."""
        for kind, name in _keys(thing, principal):
            limit = self._limits[kind]
            if self._counts[kind, name] >= limit:
                whose = f"of the {kind} {name[:200]!r}"
                raise Busy(f"{limit} invocations {whose} are under way; try again later")

    def enter(self, invocation_id: str, thing: str, principal: str | None) -> None:
        self._keys[invocation_id] = keys = _keys(thing, principal)
        self._counts.update(keys)

    def leave(self, invocation_id: str) -> None:
        for key in self._keys.pop(invocation_id, ()):
            self._counts[key] -= 1
            if not self._counts[key]:
                del self._counts[key]


def _keys(thing: str, principal: str | None) -> tuple[tuple[str, str], ...]:
    if principal is None:
        return (("Thing", thing),)
    return ("Thing", thing), ("principal", principal)

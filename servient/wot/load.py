"""Who has how much under way: no Thing and no principal takes the room of all others."""

from servient.errors import Busy


class Load:
    """Invocations that run, counted by their Thing and by the principal who asked, where one is known."""

    def __init__(self, of_thing: int, of_principal: int) -> None:
        self._limits = {"Thing": of_thing, "principal": of_principal}
        self._counts: dict[tuple[str, str], int] = {}
        self._keys: dict[str, tuple[tuple[str, str], ...]] = {}

    def enter(self, invocation_id: str, thing: str, principal: str | None) -> None:
        """Count one more. Raises Busy, saying whose room is taken."""
        keys = _keys(thing, principal)
        counts = self._counts
        for key in keys:
            if counts.get(key, 0) >= self._limits[key[0]]:
                kind, name = key
                whose = f"of the {kind} {name[:200]!r}"
                raise Busy(
                    f"{self._limits[kind]} invocations {whose} are under way; try again later"
                )
        for key in keys:
            counts[key] = counts.get(key, 0) + 1
        self._keys[invocation_id] = keys

    def leave(self, invocation_id: str) -> None:
        for key in self._keys.pop(invocation_id, ()):
            self._counts[key] -= 1
            if not self._counts[key]:
                del self._counts[key]


def _keys(thing: str, principal: str | None) -> tuple[tuple[str, str], ...]:
    if principal is None:
        return (("Thing", thing),)
    return ("Thing", thing), ("principal", principal)

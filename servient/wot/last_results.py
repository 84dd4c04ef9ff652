"""The last results of actions, which their properties have still when the history is past them."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from servient.wot.invocation import Invocation
from servient.wot.record import Status

RESULTS_LIMIT = 10_000

_Action: TypeAlias = tuple[str, str]


class LastResults:
    """Of each action the newest invocation that completed, when the history lets go of it.

    What is held is bounded as the history is: at most so many, of so many bytes in memory and in
    files; then the oldest go. Methods return those that are to be forgotten.
    """

    def __init__(self, text_bytes: int, files_bytes: int, limit: int = RESULTS_LIMIT) -> None:
        self._limit = limit
        self._text_limit_bytes = text_bytes
        self._files_limit_bytes = files_bytes
        self._text_bytes = self._files_bytes = 0
        self._newest: dict[_Action, Invocation] = {}
        self._held: dict[_Action, Invocation] = {}

    def __iter__(self) -> Iterator[Invocation]:
        return iter(tuple(self._held.values()))

    def completed(self, invocation: Invocation) -> list[Invocation]:
        """One is over: an earlier result of its action counts no more, if it has completed."""
        if invocation.status is not Status.COMPLETED:
            return []
        action = (invocation.thing, invocation.action)
        self._newest[action] = invocation
        return [self._let_go(action)] if action in self._held else []

    def hold(self, invocation: Invocation) -> list[Invocation]:
        """The history lets go of one: it is held here, or is among those that are to be forgotten."""
        action = (invocation.thing, invocation.action)
        if self._newest.get(action) is not invocation:
            return [invocation]
        self._held[action] = invocation
        self._text_bytes += invocation.text_bytes
        self._files_bytes += invocation.files_bytes
        gone = []
        while self._is_too_much():
            gone.append(self._let_go(next(iter(self._held))))
        return gone

    def forget(self, is_gone: Callable[[Invocation], bool]) -> list[Invocation]:
        """Those whose properties are gone; of others that are, none is held later on."""
        for action in [action for action, each in self._newest.items() if is_gone(each)]:
            del self._newest[action]
        return [self._let_go(action) for action, each in tuple(self._held.items()) if is_gone(each)]

    def _is_too_much(self) -> bool:
        return (
            len(self._held) > self._limit
            or self._text_bytes > self._text_limit_bytes
            or self._files_bytes > self._files_limit_bytes
        )

    def _let_go(self, action: _Action) -> Invocation:
        invocation = self._held.pop(action)
        if self._newest.get(action) is invocation:
            del self._newest[action]
        self._text_bytes -= invocation.text_bytes
        self._files_bytes -= invocation.files_bytes
        return invocation
